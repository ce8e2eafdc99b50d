/* The handler that libzmq asks about each key (ZAP, RFC 27): any CURVE key may shake hands and
 * gets its own key as User-Id, but for those refused a while ago. Denied with 300, which sends the
 * other side nothing. */
#include "node/transport_inside.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define REQUEST_FRAMES 7 /* version, request id, domain, address, identity, mechanism, key */
#define FRAME_MAX 255

bool zap_open(struct transport *transport, struct problem *problem)
{
    transport->zap = zmq_socket(transport->context, ZMQ_REP);
    int linger = 0;
    if (transport->zap && zmq_setsockopt(transport->zap, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
        zmq_bind(transport->zap, "inproc://zeromq.zap.01") == 0)
        return true;
    problem_set(problem, STARLING_FAILED,
                "libzmq: cannot serve its authentication requests (%s): without them everyone "
                "would be let in, so this node does not run",
                zmq_strerror(errno));
    return false;
}

struct request {
    uint8_t frames[REQUEST_FRAMES][FRAME_MAX];
    size_t sizes[REQUEST_FRAMES];
    size_t count;
};

/* False when no request waits. A frame that is too long makes count too large to be answered. */
static bool read_request(void *zap, struct request *request)
{
    request->count = 0;
    bool more = true;
    for (size_t i = 0; more; i++) {
        uint8_t spare[FRAME_MAX];
        uint8_t *frame = i < REQUEST_FRAMES ? request->frames[i] : spare;
        int size = zmq_recv(zap, frame, FRAME_MAX, ZMQ_DONTWAIT);
        if (size < 0)
            return false;
        if (i < REQUEST_FRAMES)
            request->sizes[i] = size > FRAME_MAX ? FRAME_MAX : (size_t)size;
        request->count = size > FRAME_MAX ? REQUEST_FRAMES + 1 : i + 1;
        int flag = 0;
        size_t flag_size = sizeof flag;
        more = zmq_getsockopt(zap, ZMQ_RCVMORE, &flag, &flag_size) == 0 && flag;
    }
    return true;
}

static bool frame_is(const struct request *request, size_t frame, const char *text)
{
    return request->sizes[frame] == strlen(text) &&
           memcmp(request->frames[frame], text, strlen(text)) == 0;
}

static void reply(void *zap, const struct request *request, const char *status, const char *user)
{
    zmq_send(zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(zap, request->frames[1], request->sizes[1], ZMQ_SNDMORE);
    zmq_send(zap, status, strlen(status), ZMQ_SNDMORE);
    zmq_send(zap, "", 0, ZMQ_SNDMORE);
    zmq_send(zap, user, strlen(user), ZMQ_SNDMORE);
    zmq_send(zap, "", 0, 0);
}

/* Whether the key may go on to its HELLO; counts those that may not. */
static bool admit(struct transport *transport, const struct request *request)
{
    char address[64] = "";
    if (request->count == REQUEST_FRAMES && request->sizes[3] < sizeof address) {
        memcpy(address, request->frames[3], request->sizes[3]);
        address[request->sizes[3]] = '\0';
    }
    if (request->count != REQUEST_FRAMES || !frame_is(request, 0, "1.0") ||
        !frame_is(request, 5, "CURVE") || request->sizes[6] != KEY_BYTES) {
        transport->owner.refused(transport->owner.self, REFUSED_NO_CURVE, PEER_NONE, address);
        return false;
    }
    if (!transport->open)
        return false;
    const struct key_note *note = key_notes_find(&transport->refused, request->frames[6]);
    if (!note || note->until_us <= transport->now_us)
        return true;
    transport->owner.refused(transport->owner.self, note->reason, PEER_NONE, address);
    return false;
}

void zap_work(struct transport *transport)
{
    struct request request;
    for (int i = 0; i < BATCH_MAX && read_request(transport->zap, &request); i++) {
        char user[KEY_HEX_SIZE] = "";
        bool admitted = admit(transport, &request);
        if (admitted)
            sodium_bin2hex(user, sizeof user, request.frames[6], KEY_BYTES);
        reply(transport->zap, &request, admitted ? "200" : "300", user);
    }
}
