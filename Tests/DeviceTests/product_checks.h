// Checks a launch of a product against double sums.
#pragma once

#include "products.h"

namespace device {

/// Counts what fails.
inline int failures = 0;

/// Launches a product twice, which must give the same right result both times. `makeLaunch` has the
/// majors of A and B and makes the launch of a product.
template <class T, class Body, bool kIsPaired = false, class MakeLaunch>
void checkProduct(const std::string& name, const Extents& extents, MakeLaunch&& makeLaunch,
                  double tolerance = toleranceOf<T>(), int64_t spread = 1) {
  Product<T> product(extents, makeLaunch.majorA, makeLaunch.majorB, Body::kExtras,
                     static_cast<uint64_t>(extents.M * 7 + extents.N * 3 + extents.K), spread,
                     kIsPaired);
  const Launch launch = makeLaunch(product);
  double errors[2];
  bool holds = true;
  for (double& error : errors) {
    product.output().poison();
    launch.enqueue(Driver::shared().stream());
    AIT_CALL(cuStreamSynchronize, Driver::shared().stream());
    const auto verdict = product.verify(Body::reference);
    error = verdict.error;
    holds = holds && verdict.holds(tolerance);
    if (verdict.unwritten != 0 || !verdict.guardsAreIntact) {
      std::printf("  unwritten %lld, guards %s\n", static_cast<long long>(verdict.unwritten),
                  verdict.guardsAreIntact ? "intact" : "BROKEN");
    }
  }
  holds = holds && errors[0] == errors[1];
  if (!holds) ++failures;
  std::printf("%s %s M=%lld N=%lld K=%lld b=%lld blocks=%lld error %.2e %.2e\n",
              holds ? "ok    " : "FAILED", name.c_str(), static_cast<long long>(extents.M),
              static_cast<long long>(extents.N), static_cast<long long>(extents.K),
              static_cast<long long>(extents.batch), static_cast<long long>(launch.blocks),
              errors[0], errors[1]);
  std::fflush(stdout);
}

}  // namespace device
