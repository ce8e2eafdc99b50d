# Floor 1: what nodes learn.

noinst_LIBRARIES += libmodel.a libkernels.a

libmodel_a_SOURCES = \
	model/activation.h \
	model/biases.h \
	model/clones.h \
	model/columns.c \
	model/columns.h \
	model/convolution.h \
	model/convolution_blocks.h \
	model/convolution_template.h \
	model/curve.h \
	model/data_open.c \
	model/dataset.c \
	model/dataset.h \
	model/evaluation.c \
	model/evaluation.h \
	model/descent.h \
	model/each_processor.h \
	model/fields.c \
	model/fields.h \
	model/frozen.c \
	model/frozen.h \
	model/initial.c \
	model/initial.h \
	model/json.c \
	model/json.h \
	model/lanes.h \
	model/layer.h \
	model/learner.c \
	model/learner.h \
	model/loss.c \
	model/loss.h \
	model/memory.c \
	model/memory.h \
	model/model.c \
	model/model.h \
	model/names.c \
	model/names.h \
	model/nearest.c \
	model/nearest.h \
	model/optimizer.h \
	model/partition.c \
	model/partition_classes.c \
	model/partition_inside.h \
	model/partition_sizes.c \
	model/partition.h \
	model/personal.c \
	model/personal.h \
	model/plan.c \
	model/plan.h \
	model/plan_list.c \
	model/problem.c \
	model/problem.h \
	model/product.h \
	model/product_blocks.h \
	model/product_sparse.h \
	model/product_sparse_blocks.h \
	model/product_sparse_template.h \
	model/product_template.h \
	model/quantise.h \
	model/random.c \
	model/random.h \
	model/read.h \
	model/read_csv.c \
	model/read_idx.c \
	model/read_leaf.c \
	model/read_libsvm.c \
	model/read_text.c \
	model/rows.c \
	model/rows.h \
	model/set_apart.c \
	model/set_apart.h \
	model/source.c \
	model/source.h \
	model/sparse.c \
	model/sparse.h \
	model/speeches.c \
	model/speeches.h \
	model/synthetic.c \
	model/synthetic_hand.c \
	model/synthetic_hand.h \
	model/synthetic_strokes.c \
	model/synthetic_strokes.h \
	model/trend.c \
	model/vector.h \
	model/version.c \
	model/version.h \
	model/workspace.c \
	model/workspace.h

# Loops that must run on vector instructions.
libkernels_a_SOURCES = \
	model/activation.c \
	model/biases.c \
	model/convolution.c \
	model/convolution_blocks.c \
	model/lanes.c \
	model/layer_conv.c \
	model/layer_dense.c \
	model/layer_embed.c \
	model/layer_gru.c \
	model/layer_lanes.c \
	model/layer_maxpool.c \
	model/layer_relu.c \
	model/layer_sparse.c \
	model/layer_tanh.c \
	model/optimizer.c \
	model/product.c \
	model/product_blocks.c \
	model/product_packed.c \
	model/product_sparse.c \
	model/product_sparse_blocks.c \
	model/quantise.c \
	model/vector.c
libkernels_a_CFLAGS = $(AM_CFLAGS) $(KERNEL_CFLAGS)
