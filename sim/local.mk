# Floor 4: a world.

noinst_LIBRARIES += libsim.a
bin_PROGRAMS += starling-sim

libsim_a_SOURCES = \
	sim/allocator.c \
	sim/allocator.h \
	sim/bandwidth.c \
	sim/bandwidth.h \
	sim/baseline.c \
	sim/baseline.h \
	sim/checkpoint.c \
	sim/checkpoint.h \
	sim/churn.c \
	sim/churn.h \
	sim/clock.c \
	sim/clock.h \
	sim/compare.c \
	sim/compare.h \
	sim/compare_page.c \
	sim/compare_table.c \
	sim/comparison.c \
	sim/comparison.h \
	sim/crash_world.c \
	sim/crash_world.h \
	sim/crashes.c \
	sim/crashes.h \
	sim/daily.c \
	sim/daily.h \
	sim/describe.c \
	sim/describe.h \
	sim/describe_print.c \
	sim/experiment.c \
	sim/experiment.h \
	sim/fedavg.c \
	sim/fedavg.h \
	sim/frozen_world.c \
	sim/frozen_world.h \
	sim/lane.c \
	sim/lane.h \
	sim/latency.c \
	sim/latency.h \
	sim/latency_matrix.c \
	sim/latency_matrix.h \
	sim/live.c \
	sim/live.h \
	sim/live_data.c \
	sim/live_data.h \
	sim/live_node.c \
	sim/live_node.h \
	sim/live_swarm.c \
	sim/live_swarm.h \
	sim/measure.c \
	sim/measure.h \
	sim/meeting.c \
	sim/meeting.h \
	sim/network.c \
	sim/network.h \
	sim/out.c \
	sim/out.h \
	sim/overlay.c \
	sim/overlay.h \
	sim/overlay_world.c \
	sim/overlay_world.h \
	sim/past.c \
	sim/past.h \
	sim/pace.c \
	sim/pace.h \
	sim/page.c \
	sim/page.h \
	sim/personal.c \
	sim/personal.h \
	sim/plot.c \
	sim/plot.h \
	sim/plot_axis.h \
	sim/plot_counts.c \
	sim/plot_curves.c \
	sim/plot_pairs.c \
	sim/pool.c \
	sim/pool.h \
	sim/post.c \
	sim/post.h \
	sim/process.c \
	sim/process.h \
	sim/progress.c \
	sim/progress.h \
	sim/report.c \
	sim/report.h \
	sim/report_curves.c \
	sim/report_end.c \
	sim/report_parts.h \
	sim/report_tables.c \
	sim/results.c \
	sim/results.h \
	sim/resume.c \
	sim/resume.h \
	sim/run.c \
	sim/run.h \
	sim/run_baselines.c \
	sim/run_inside.h \
	sim/run_world.c \
	sim/speed.c \
	sim/speed.h \
	sim/splits.c \
	sim/splits.h \
	sim/stopwatch.c \
	sim/stopwatch.h \
	sim/summary.c \
	sim/summary_read.c \
	sim/sweep.c \
	sim/sweep.h \
	sim/sweep_figures.c \
	sim/sweep_figures.h \
	sim/sweep_plan.c \
	sim/sweep_plan.h \
	sim/sweep_runs.c \
	sim/sweep_runs.h \
	sim/sweep_table.c \
	sim/sweep_table.h \
	sim/table_read.c \
	sim/table_read.h \
	sim/topology.c \
	sim/topology.h \
	sim/topology_regular.c \
	sim/topology_regular.h \
	sim/trace.c \
	sim/trace.h \
	sim/words.c \
	sim/words.h \
	sim/world.c \
	sim/world.h \
	sim/world_inside.h

starling_sim_SOURCES = sim/sim_help.c sim/sim_help.h sim/sim_main.c
starling_sim_LDADD = $(SIM_LIBS)

# Experiments that anyone can rerun: docs/results.md.
experimentsdir = $(pkgdatadir)/experiments
dist_experiments_DATA = \
	sim/experiments/algorithms.ini \
	sim/experiments/conditions.ini \
	sim/experiments/encoding-fashion-mnist.ini \
	sim/experiments/encoding-pendigits.ini \
	sim/experiments/epidemic.ini \
	sim/experiments/equal-messages.ini \
	sim/experiments/fashion-lenet.ini \
	sim/experiments/fashion-mlp.ini \
	sim/experiments/flows.ini \
	sim/experiments/late.ini \
	sim/experiments/million.ini \
	sim/experiments/optimisers.ini \
	sim/experiments/overlay.ini \
	sim/experiments/pendigits.ini \
	sim/experiments/people.awk \
	sim/experiments/shakespeare.ini \
	sim/experiments/spambase.ini \
	sim/experiments/wisdm.ini
