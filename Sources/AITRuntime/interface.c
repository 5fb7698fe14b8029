// Includes the C interface as C: that it stays plain C is checked by compiling this file.
#include "ait/ait.h"
#include "ait/model_interface.h"
