// The launches of pointwise kernels in parts (ait/gpu/launch_pointwise.h): every element is in one
// part, at the place where it lies, and packets keep their alignment.
#include "ait/gpu/launch_pointwise.h"

#include <set>

#include "check.h"

namespace {

struct Config : ait::PointwiseDefaults {
  static constexpr int kPacket = 4;
};
struct Tiles : ait::PointwiseTileDefaults {
  static constexpr int kSharedBytes = 8192;
};

/// Keeps the launches of kernels whose arguments are `Arguments`.
template <class Arguments>
class Recorder final : public ait::DeviceQueue {
 public:
  struct Record {
    Arguments arguments;
    uint32_t blocks;
    uint32_t sharedSizeInBytes;
  };
  std::vector<Record> records;

  void launch(const ait::DeviceLaunch& launch) override {
    records.push_back({*static_cast<const Arguments*>(launch.arguments[0]), launch.grid[0],
                       launch.sharedSizeInBytes});
  }
  void encodeTensorMap(void*, const ait::TensorMapRequest&) override {}
  void copy(void*, const void*, int64_t) override {}
  void fill(void*, int32_t, int64_t) override {}
  int32_t architecture() const override { return 0; }
  int32_t multiprocessorCount() const override { return 1; }
  int32_t activeClusterCount(int32_t) const override { return 1; }
  int32_t step() const override { return 0; }
  ait::DeviceErrorRecord* errorRecord() const override { return nullptr; }
};

char* const kFirst = reinterpret_cast<char*>(0x100000000);
char* const kSecond = reinterpret_cast<char*>(0x900000000000);

/// Launches over `sizes`, two operands, and returns the launches.
template <int kRank, class Launch>
auto record(const std::vector<int64_t>& sizes, const Launch& launch) {
  Recorder<ait::RowArguments<kRank, 2>> queue;
  check::SerialPool pool;
  void* const buffers[] = {kFirst, kSecond};
  launch(ait::KernelContext{buffers, sizes.data(), nullptr, pool, &queue});
  return queue.records;
}

}  // namespace

TEST(smallLoopsAreLaunchedOnce) {
  const auto launches = record<2>({7, 96, 96, 1, 0, 1}, [](const ait::KernelContext& context) {
    ait::launchPointwise<Config, 2, 2, 8>(context, 0);
  });
  CHECK_EQUAL(launches.size(), size_t{1});
  CHECK_EQUAL(launches[0].arguments.extents[0], 7);
  CHECK_EQUAL(launches[0].arguments.rows, 7);
  CHECK_EQUAL(launches[0].blocks, 1u);
  CHECK(launches[0].arguments.operands[0].base == kFirst);
}

TEST(noElementsNoLaunch) {
  CHECK(record<2>({0, 96, 96, 1, 0, 1}, [](const ait::KernelContext& context) {
          ait::launchPointwise<Config, 2, 2, 8>(context, 0);
        }).empty());
}

TEST(aLongAxisIsCutWhereItIsAligned) {
  const int64_t count = (int64_t{5} << 30) + 77;
  const auto launches = record<1>({count, 1, 1}, [](const ait::KernelContext& context) {
    ait::launchPointwise<Config, 1, 2, 8>(context, 0);
  });
  int64_t next = 0;
  for (const auto& launch : launches) {
    const auto& operands = launch.arguments.operands;
    CHECK(static_cast<char*>(operands[0].base) == kFirst + 2 * next);
    CHECK(static_cast<char*>(operands[1].base) == kSecond + 8 * next);
    CHECK_EQUAL(next % 128, 0);
    const int64_t extent = launch.arguments.extents[0];
    CHECK(extent <= int64_t{1} << 30);
    CHECK(int64_t{launch.blocks} * Config::kThreads * Config::kPackets * Config::kPacket >= extent);
    next += extent;
  }
  CHECK_EQUAL(next, count);
}

TEST(batchesAreCutFirst) {
  // 3 matrices of 40000 x 50001; the second operand is one row, of all of them.
  const std::vector<int64_t> sizes = {3, 40000, 50001, 40000LL * 50001, 50001, 1, 0, 0, 1};
  for (const bool isTiled : {false, true}) {
    const auto launches = record<3>(sizes, [&](const ait::KernelContext& context) {
      if (isTiled) {
        ait::launchPointwiseTiles<Tiles, 3, 2, 8>(context, 0);
      } else {
        ait::launchPointwise<Config, 3, 2, 8>(context, 0);
      }
    });
    int64_t elements = 0;
    std::set<const void*> places;
    for (const auto& launch : launches) {
      const auto& arguments = launch.arguments;
      CHECK_EQUAL(arguments.rows, arguments.extents[0] * arguments.extents[1]);
      CHECK_EQUAL(launch.sharedSizeInBytes, isTiled ? 8192u : 0u);
      elements += int64_t{arguments.rows} * arguments.extents[2];
      CHECK(places.insert(arguments.operands[0].base).second);
      const int64_t offset = (static_cast<char*>(arguments.operands[0].base) - kFirst) / 2;
      const int64_t column = offset % 50001, row = offset / 50001 % 40000;
      CHECK_EQUAL(column % 128 + row % 128, 0);
      CHECK(static_cast<char*>(arguments.operands[1].base) == kSecond + 8 * column);
      CHECK_EQUAL(arguments.operands[1].strides[2], 1);
    }
    CHECK_EQUAL(elements, 3 * 40000LL * 50001);
    CHECK(launches.size() > 3);
  }
}
