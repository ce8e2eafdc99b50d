#include "model/product_blocks.h"

#include <string.h>

#include "model/descent.h"

#define TEMPLATE "model/product_template.h"
#include "model/each_processor.h"

const struct product_blocks *product_blocks(void)
{
    return each_processor(blocks);
}
