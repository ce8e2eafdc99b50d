#include "model/convolution_blocks.h"

#include "model/lanes.h"

#define TEMPLATE "model/convolution_template.h"
#include "model/each_processor.h"

const struct convolution_blocks *convolution_blocks(void)
{
    return each_processor(blocks);
}
