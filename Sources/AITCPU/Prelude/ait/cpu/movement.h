// Kernels that move elements to other places: transpositions, gathers, padding, and counting.
// They know elements by their size alone.
#pragma once

#include "ait/cpu/gather.h"
#include "ait/cpu/pad.h"
#include "ait/cpu/permute.h"
