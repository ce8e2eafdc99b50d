#include "gossip/conclude.h"

#include <string.h>

#include "gossip/inbox.h"

/* The final phase's message: all of what is published, as it is. */
static void send_readout(struct gossip *gossip, peer_id to, bool answer, struct actions *actions)
{
    struct action *action = actions_append(actions, ACTION_SEND);
    action->send.to = to;
    action->send.message = (struct gossip_message){
        .kind = MESSAGE_MODEL,
        .model = {.piece = piece_whole(gossip->settings->parameters),
                  .age = gossip->age,
                  .sequence = ++gossip->sequence,
                  .answer = answer,
                  .last = true,
                  .model = version_share(gossip->published)},
    };
    memcpy(action->send.message.model.task, gossip->settings->task, TASK_ID_BYTES);
    gossip->counters.sent++;
}

void conclude_tick(struct gossip *gossip, struct actions *actions)
{
    struct random random = gossip_stream(gossip, RANDOM_PEER, gossip->round);
    version_release(&gossip->asked_with);
    gossip->asked = view_pick(&gossip->view, &random);
    if (gossip->asked == PEER_NONE || gossip->training)
        return;
    gossip->asked_with = version_share(gossip->published);
    send_readout(gossip, gossip->asked, true, actions);
}

void gossip_conclude(struct gossip *gossip)
{
    gossip->concluding = true;
    inbox_clear(gossip);
}

void conclude_receive(struct gossip *gossip, peer_id from, struct model_message *message,
                      struct actions *actions)
{
    bool awaited = !message->answer && from == gossip->asked && gossip->asked_with;
    if (gossip->training || (!message->answer && !awaited)) {
        version_release(&message->model);
        return;
    }
    struct version *mine = awaited ? gossip->asked_with : version_share(gossip->published);
    if (awaited)
        gossip->asked_with = NULL;
    else
        send_readout(gossip, from, false, actions);
    struct action *action = actions_append(actions, ACTION_AVERAGE);
    action->average.theirs = message->model;
    action->average.mine = mine;
    message->model = NULL;
    gossip->counters.merged++;
}
