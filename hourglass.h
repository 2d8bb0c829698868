/* hourglass.h - the whole public interface in one include.
 *
 *     #include <hourglass.h>
 *     cc model.c $(pkg-config --cflags --libs hourglass)
 *
 * C11, and C++17 as well; but HG_OPTIONS, HG_CHOICE and HG_UNARY, which make
 * constants of a file, are for C only. The rooms, each a chapter to read on
 * its own, from the ground up:
 *
 *     tensor/tensor.h      contexts, scopes, shapes, errors, values
 *     autograd/op.h        what an operation is, hg_apply
 *     autograd/autograd.h  hg_backward, hg_grad, gradient checks
 *     ops/ops.h            the operations
 *     nn/nn.h              stores, layers, optimisers, schedules, weight files
 *     nn/parts.h           nets, posteriors, losses that models share
 *     datasets/data.h      data sets, the loader, a look at images
 *     models/model.h       what a model is, and the zoo
 *     models/objective.h   terms of a loss that the trainer can weigh
 *     models/measure.h     projections, mixtures, metrics of codes and images
 *     models/evaluation.h  likelihood and codes of a trained model
 */
#ifndef HOURGLASS_H
#define HOURGLASS_H

#include "tensor/tensor.h"
#include "autograd/op.h"
#include "autograd/autograd.h"
#include "ops/ops.h"
#include "nn/nn.h"
#include "nn/parts.h"
#include "datasets/data.h"
#include "models/model.h"
#include "models/objective.h"
#include "models/measure.h"
#include "models/evaluation.h"

#endif
