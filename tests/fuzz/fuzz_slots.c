/* Any bytes as parameter slots. The first byte says which hashes are set right, so that the fuzzer
 * gets past them. What is read back must be sane, and be read back again once it is saved. */
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <sodium.h>

#include "node/slots.h"

#define HEADER_BYTES 120
#define HEADER_BYTES_1 112 /* of version 1 */
#define HEADER_CHECK_BYTES 16
#define CHECK_BYTES 32
#define VECTOR_BYTES_MAX ((size_t)4096)

static const char *const names[] = {"parameters-a.slot", "parameters-b.slot"};

/* As docs/state.md describes it. */
static void write_slot(const char *name, struct part slot, bool set_header, bool set_end)
{
    uint8_t *bytes = malloc(slot.size + 1);
    must(bytes != NULL);
    if (slot.size > 0)
        memcpy(bytes, slot.bytes, slot.size);
    size_t header = slot.size > 8 && bytes[8] == 1 ? HEADER_BYTES_1 : HEADER_BYTES;
    if (set_header && slot.size >= header)
        crypto_generichash(bytes + header - HEADER_CHECK_BYTES, HEADER_CHECK_BYTES, bytes,
                           header - HEADER_CHECK_BYTES, NULL, 0);
    if (set_end && slot.size >= header + CHECK_BYTES)
        crypto_generichash(bytes + slot.size - CHECK_BYTES, CHECK_BYTES, bytes,
                           slot.size - CHECK_BYTES, NULL, 0);
    must(folder_write(fuzz_folder_once(), name, bytes, slot.size) == 0);
    free(bytes);
}

static bool same(const float *a, const float *b, size_t count)
{
    return a && b ? memcmp(a, b, count * sizeof *a) == 0 : !a && !b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part input = {data, size};
    uint8_t choice = part_byte(&input);
    struct saved saved, again;
    bool found;
    char note[PROBLEM_TEXT_MAX];
    const char *folder = fuzz_folder_once()->path;
    write_slot(names[0], part_next(&input), choice & 1, choice & 2);
    write_slot(names[1], input, choice & 4, choice & 8);
    if (slots_load(folder, VECTOR_BYTES_MAX, &saved, &found, note, NULL)) /* a newer one, larger */
        must(!found);
    must(strlen(note) < sizeof note);
    if (!found) {
        must(!saved.model && !saved.first && !saved.second && !saved.readout);
        return 0;
    }
    must(saved.model && saved.parameters >= 1);
    must(saved.parameters <= VECTOR_BYTES_MAX / sizeof(float));
    must(isfinite(saved.age) && saved.age >= 0);
    must(saved.number <= INT64_MAX); /* so that it can be counted on from */
    must(slots_save(folder, &saved, NULL) == STARLING_OK);
    if (saved.number > INT64_MAX) {
        saved_clear(&saved);
        return 0;
    }
    must(slots_load(folder, VECTOR_BYTES_MAX, &again, &found, note, NULL) == STARLING_OK && found);
    must(again.number == saved.number && again.age == saved.age && again.round == saved.round);
    must(again.parameters == saved.parameters);
    must(same(saved.model, again.model, saved.parameters));
    must(saved.steps == again.steps);
    must(same(saved.first, again.first, saved.parameters));
    must(same(saved.second, again.second, saved.parameters));
    must(same(saved.readout, again.readout, saved.parameters));
    saved_clear(&saved);
    saved_clear(&again);
    return 0;
}
