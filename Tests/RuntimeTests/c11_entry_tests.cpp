// The tests in C, as one test.
#include "harness.h"

extern "C" int runFromC(void);

TEST(headersServeC) { CHECK(runFromC() == 0); }
