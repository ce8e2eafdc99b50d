#include "model/product_sparse_blocks.h"

#include <stdbool.h>
#include <string.h>

#include "model/clones.h"

#if CLONES_CHOSEN
#include <immintrin.h>
#endif

#define TEMPLATE "model/product_sparse_template.h"
#include "model/each_processor.h"

const struct sparse_blocks *sparse_blocks(void)
{
    return each_processor(blocks);
}
