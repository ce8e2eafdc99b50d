/* bench_exchange PARAMETERS — models a second between two nodes' transports over loopback.
 *
 * Two ends, each with a thread and a libzmq of its own, exchange models of PARAMETERS floats as
 * push-pull does: one is sent and asks for an answer, the other answers with its own. Each that
 * arrives is decoded, checked and copied to where it would be merged. Beside it, what libsodium
 * needs to encrypt and decrypt the same bytes on one core with keys already agreed on, as in CURVE.
 * The two take turns; medians are printed, as one JSON object. */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/vector.h"
#include "node/transport.h"

#define TURNS 7
#define TURN_SECONDS 0.5
#define WINDOW 8 /* exchanges under way at a time */
#define PATIENCE_SECONDS 10
#define PEER 0 /* each knows one other */

struct end {
    struct identity *identity;
    struct transport *transport;
    const struct end *other;
    size_t parameters;
    float *model, *received;
    uint64_t sequence;
    size_t models, under_way;
    bool up;
    const atomic_bool *stop;
};

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static uint64_t now_us(void)
{
    return (uint64_t)(seconds() * 1e6);
}

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "bench_exchange: %s\n", what);
    exit(1);
}

static size_t greet(void *self, bool reply, uint8_t *out)
{
    (void)self;
    struct hello hello = {
        .version_least = PROTOCOL_VERSION, .version_most = PROTOCOL_VERSION, .reply = reply};
    return hello_encode(&hello, out);
}

static enum refusal judge(void *self, const uint8_t curve[KEY_BYTES], const uint8_t *bytes,
                          size_t size, peer_id *peer)
{
    const struct end *end = self;
    *peer = PEER;
    must(memcmp(curve, end->other->identity->keys.curve, KEY_BYTES) == 0, "a stranger called");
    return hello_is(bytes, size) ? REFUSED_NOT : REFUSED_MALFORMED;
}

static void up(void *self, peer_id peer, uint64_t round_trip_us)
{
    (void)peer;
    (void)round_trip_us;
    ((struct end *)self)->up = true;
}

static void down(void *self, peer_id peer)
{
    (void)self;
    (void)peer;
    must(false, "the connection broke");
}

static void keep(void *data, void *hint)
{
    (void)data; /* lent, and good until the end */
    (void)hint;
}

static void send_model(struct end *end, bool answer)
{
    struct gossip_message message = {.kind = MESSAGE_MODEL,
                                     .model = {.piece = piece_whole(end->parameters),
                                               .age = 1,
                                               .sequence = ++end->sequence,
                                               .answer = answer}};
    uint8_t header[HEADER_BYTES_MAX];
    struct parcel parcel;
    size_t size = message_encode(&message, NULL, header);
    must(size > 0 && parcel_init(&parcel, header, size) &&
             parcel_payload(&parcel, end->model, end->parameters * sizeof(float), keep, NULL),
         "a model cannot be wrapped");
    parcel.wire_bytes = message_wire_bytes(&message, size);
    const struct end *other = end->other;
    must(transport_send(end->transport, PEER, other->identity->keys.curve,
                        transport_endpoint(other->transport), &parcel, now_us()),
         "a model was dropped");
}

static void receive(void *self, peer_id peer, struct parcel *parcel)
{
    struct end *end = self;
    struct gossip_message message;
    struct card cards[SHUFFLE_MAX];
    (void)peer;
    must(message_decode(zmq_msg_data(&parcel->header), zmq_msg_size(&parcel->header), &message,
                        cards) == REFUSED_NOT &&
             message.kind == MESSAGE_MODEL && parcel->has_payload &&
             message.model.piece.count == end->parameters &&
             piece_decode(&message.model.piece, zmq_msg_data(&parcel->payload),
                          zmq_msg_size(&parcel->payload), end->received),
         "what arrived is not what was sent");
    end->models++;
    if (message.model.answer)
        send_model(end, false);
    else
        end->under_way--;
}

static void sent(void *self, peer_id peer, size_t wire_bytes, uint32_t mark)
{
    (void)self;
    (void)peer;
    (void)wire_bytes;
    (void)mark;
}

static void refused(void *self, enum refusal reason, peer_id peer, const char *address)
{
    (void)self;
    (void)peer;
    (void)address;
    must(false, refusal_name(reason));
}

static void unreachable(void *self, const uint8_t curve[KEY_BYTES], uint32_t failures)
{
    (void)self;
    (void)curve;
    (void)failures;
    must(false, "the other end cannot be reached");
}

static void begin(struct end *end, const struct end *other, size_t parameters,
                  const atomic_bool *stop)
{
    struct problem problem = {0};
    *end = (struct end){.identity = identity_new(&problem),
                        .other = other,
                        .parameters = parameters,
                        .model = vector_new(parameters),
                        .received = vector_new(parameters),
                        .stop = stop};
    must(end->identity && end->model && end->received, "out of memory");
    for (size_t i = 0; i < parameters; i++)
        end->model[i] = (float)randombytes_uniform(1 << 24) * 0x1p-24f;
    struct transport_settings settings = {.identity = end->identity,
                                          .listen = "tcp://127.0.0.1:*",
                                          .frame_max = parameters * sizeof(float),
                                          .messages_per_s = 1e9,
                                          .idle_us = UINT64_C(3600000000)};
    struct transport_owner owner = {.self = end,
                                    .greet = greet,
                                    .judge = judge,
                                    .up = up,
                                    .down = down,
                                    .receive = receive,
                                    .sent = sent,
                                    .refused = refused,
                                    .unreachable = unreachable};
    end->transport = transport_open(&settings, &owner, &problem);
    must(end->transport, problem.text);
    transport_set_open(end->transport, true, now_us());
}

/* What a reactor does, once. */
static void turn(struct end *end)
{
    zmq_pollitem_t items[TRANSPORT_ITEMS_MAX];
    size_t count = transport_poll(end->transport, items);
    zmq_poll(items, (int)count, 20);
    transport_work(end->transport, now_us());
}

static void *answer_all(void *self)
{
    struct end *end = self;
    while (!atomic_load(end->stop))
        turn(end);
    return NULL;
}

/* Models a second, both ways together. */
static double exchange(struct end *end)
{
    size_t before = end->models;
    double start = seconds(), heard = start, now = start;
    do {
        while (now - start < TURN_SECONDS && end->under_way < WINDOW) {
            end->under_way++;
            send_model(end, true);
        }
        size_t models = end->models;
        turn(end);
        now = seconds();
        if (end->models > models)
            heard = now;
        must(now - heard < PATIENCE_SECONDS, "the exchange stands still");
    } while (now - start < TURN_SECONDS || end->under_way > 0);
    return 2 * (double)(end->models - before) / (now - start);
}

/* Models a second through crypto_box and back, on this core. */
static double encrypt(const struct end *end)
{
    size_t size = end->parameters * sizeof(float), done = 0;
    uint8_t nonce[crypto_box_NONCEBYTES] = {0}, key[crypto_box_BEFORENMBYTES];
    uint8_t *box = malloc(size + crypto_box_MACBYTES);
    must(box && crypto_box_beforenm(key, end->other->identity->keys.curve,
                                    end->identity->curve_secret) == 0,
         "no key can be agreed on");
    double start = seconds(), taken;
    do {
        sodium_increment(nonce, sizeof nonce);
        must(crypto_box_easy_afternm(box, (const uint8_t *)end->model, size, nonce, key) == 0 &&
                 crypto_box_open_easy_afternm((uint8_t *)end->received, box,
                                              size + crypto_box_MACBYTES, nonce, key) == 0,
             "libsodium cannot read what it wrote");
        done++;
        taken = seconds() - start;
    } while (taken < TURN_SECONDS);
    free(box);
    return (double)done / taken;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

static void finish(struct end *end)
{
    transport_close(&end->transport);
    identity_free(&end->identity);
    vector_free(end->model);
    vector_free(end->received);
}

int main(int count, char **arguments)
{
    static struct end asks, answers;
    static atomic_bool stop;
    double models[TURNS], boxes[TURNS];
    pthread_t thread;
    long parameters = count == 2 ? strtol(arguments[1], NULL, 10) : 0;
    must(parameters > 0 && parameters <= 1 << 26, "usage: bench_exchange PARAMETERS");
    must(sodium_init() >= 0, "libsodium cannot start");
    begin(&asks, &answers, (size_t)parameters, &stop);
    begin(&answers, &asks, (size_t)parameters, &stop);
    must(pthread_create(&thread, NULL, answer_all, &answers) == 0, "no thread can be had");
    must(transport_dial(asks.transport, answers.identity->keys.curve,
                        transport_endpoint(answers.transport), now_us()),
         "the other end cannot be dialled");
    double start = seconds();
    while (!asks.up) {
        turn(&asks);
        must(seconds() - start < PATIENCE_SECONDS, "the ends do not meet");
    }
    for (int i = 0; i < TURNS; i++) {
        models[i] = exchange(&asks);
        boxes[i] = encrypt(&asks);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    double bytes = (double)parameters * sizeof(float);
    double models_per_s = median(models, TURNS), boxes_per_s = median(boxes, TURNS);
    printf("{\"models_per_s\": %.1f, \"bytes_per_s\": %.0f, \"crypto_box_models_per_s\": %.1f, "
           "\"crypto_box_bytes_per_s\": %.0f}\n",
           models_per_s, models_per_s * bytes, boxes_per_s, boxes_per_s * bytes);
    finish(&asks);
    finish(&answers);
    return 0;
}
