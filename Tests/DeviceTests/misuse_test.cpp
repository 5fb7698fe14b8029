// Checks that an emulated device notices each misuse, and names it: misuse_test <folder of cubins>.
// A launch that fails loses the device, so each case runs in a process of its own.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>

#include "memory.h"
#include "misuse.h"

namespace {

int failures = 0;

void report(bool holds, const std::string& name, const std::string& found) {
  if (!holds) ++failures;
  std::printf("%s %s%s%s\n", holds ? "ok    " : "FAILED", name.c_str(), holds ? "" : ": ",
              holds ? "" : found.c_str());
  std::fflush(stdout);
}

/// What a child process says and how it ends.
template <class Body>
std::pair<int, std::string> inProcess(Body&& body) {
  int ends[2];
  if (pipe(ends) != 0) return {-1, "no pipe"};
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    close(ends[0]);
    const int result = body();
    std::fflush(stdout);
    std::_Exit(result);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t count; (count = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

enum Outcome : int { succeeds = 0, fails = 10, isPoisoned = 11 };

/// Launches a kernel, twice if it is to overlap itself.
int launch(const std::string& folder, const std::string& name, int clusterSize, bool overlaps) {
  const device::Module module(folder + "/misuse.cubin");
  std::vector<float> zeros(misuse::kCount);
  const device::Buffer in(zeros), out(zeros);
  misuse::Arguments arguments{};
  // Guards are memory of the device, too: what lies outside is asked for beyond them.
  const bool isOutside = name == "load_outside" || name == "store_outside";
  device::Address bare[2];
  for (auto& address : bare) {
    AIT_CALL(cuMemAlloc, &address, misuse::kCount * 4);
    AIT_CALL(cuMemsetD8, address, 0, misuse::kCount * 4);
  }
  arguments.in = reinterpret_cast<float*>(isOutside ? bare[0] : in.address());
  arguments.out = reinterpret_cast<float*>(isOutside ? bare[1] : out.address());
  const uint64_t extents[2] = {64, 16}, strides[1] = {128};
  const uint32_t box[2] = {64, 16}, steps[2] = {1, 1};
  AIT_CALL(cuTensorMapEncodeTiled, &arguments.map, 6, 2u, in.pointer(), extents, strides, box,
           steps, 0, 3, 3, 0);
  device::Launch launch;
  launch.function = module.function(name);
  launch.blocks = clusterSize;
  launch.clusterSize = clusterSize;
  launch.threads = misuse::kThreads;
  launch.sharedBytes = misuse::kSharedBytes;
  launch.setArguments(arguments);
  launch.prepare();
  const auto stream = device::Driver::shared().stream();
  if (overlaps) {
    // The first writes what the second may not touch yet.
    auto first = launch;
    first.function = module.function("prerequisites_right");
    first.enqueue(stream);
    launch.isProgrammatic = true;
  }
  launch.enqueue(stream);
  if (device::Driver::shared().cuStreamSynchronize(stream) != 0) return fails;
  for (const float x : out.content<float>()) {
    if (std::isnan(x)) return isPoisoned;
  }
  return succeeds;
}

void check(const std::string& folder, const std::string& name, Outcome outcome,
           const std::string& text, int clusterSize = 1, bool overlaps = false) {
  const auto [status, found] =
      inProcess([&] { return launch(folder, name, clusterSize, overlaps); });
  const bool isNamed = text.empty() || found.find(text) != std::string::npos;
  const bool namesKernel = outcome != fails || found.find("kernel " + name) != std::string::npos;
  report(status == outcome && isNamed && namesKernel, name,
         "status " + std::to_string(status) + ", " + found);
}

/// A tensor map with one number changed is refused.
void checkMaps() {
  struct Request {
    int type = 6;
    uint32_t rank = 2;
    uint64_t extents[2] = {64, 16};
    uint64_t stride = 128;
    uint32_t box[2] = {64, 16};
    uint32_t steps[2] = {1, 1};
    int swizzle = 3;
    int offset = 0;
  };
  const auto isAccepted = [](const Request& request) {
    const auto [status, found] = inProcess([&] {
      alignas(64) char memory[1024];
      ait::TensorMap map;
      return device::Driver::shared().cuTensorMapEncodeTiled(
          &map, request.type, request.rank, memory + request.offset, request.extents,
          &request.stride, request.box, request.steps, 0, request.swizzle, 3, 0);
    });
    return status == 0;
  };
  const auto refuses = [&](const char* name, void (*change)(Request&)) {
    Request request;
    change(request);
    report(!isAccepted(request), std::string("map ") + name, "it is accepted");
  };
  report(isAccepted(Request()), "map right", "it is refused");
  refuses("address", [](Request& request) { request.offset = 8; });
  refuses("stride", [](Request& request) { request.stride = 136; });
  refuses("extent", [](Request& request) { request.extents[1] = 0; });
  refuses("box of 257", [](Request& request) { request.box[1] = 257; });
  refuses("box of 0", [](Request& request) { request.box[1] = 0; });
  refuses("row beyond the swizzle", [](Request& request) { request.box[0] = 72; });
  refuses("row of 8 bytes", [](Request& request) { request.box[0] = 4; });
  refuses("rank", [](Request& request) { request.rank = 6; });
  refuses("type", [](Request& request) { request.type = 99; });
  refuses("element stride", [](Request& request) { request.steps[0] = 0; });
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : ".";
  const auto right = [&](const char* name, int clusterSize = 1, bool overlaps = false) {
    check(folder, name, succeeds, "", clusterSize, overlaps);
  };
  const auto wrong = [&](const char* name, const char* text, int clusterSize = 1,
                         bool overlaps = false) {
    check(folder, name, fails, text, clusterSize, overlaps);
  };
  right("barrier_right");
  check(folder, "barrier_missing", isPoisoned, "");
  wrong("barrier_of_some", "64 for the block's barrier");
  wrong("barrier_diverged", "lanes have diverged");
  wrong("barrier_counts", "is entered for");
  right("shuffle_right");
  wrong("shuffle_of_some", "124 for shuffleXor");
  wrong("shuffle_diverged", "lanes have diverged");
  wrong("load_outside", "no memory of the device");
  wrong("store_outside", "no memory of the device");
  wrong("load_misaligned", "no multiple");
  wrong("shared_outside", "of 32768 bytes of shared memory");
  wrong("shared_misaligned", "no multiple");
  wrong("shared_behind", "behind its shared memory");
  right("copy_right");
  check(folder, "copy_not_waited", isPoisoned, "");
  wrong("copy_loaded_early", "a copy is still to write");
  wrong("copy_left", "without having waited for its copies");
  right("box_right");
  wrong("box_wrong_phase", "a copy is still to write");
  wrong("box_too_many_bytes", "for a phase of a transfer barrier");
  wrong("box_twice", "a copy is still to write");
  wrong("box_left", "ends while copies");
  wrong("box_over_stores", "not published");
  wrong("arrival_too_many", "all 2 have come");
  wrong("barrier_not_initialised", "not initialised");
  wrong("barrier_not_published", "before publishBarriers");
  wrong("barrier_overwritten", "has been overwritten");
  right("peer_right", 2);
  wrong("peer_ended", "which has ended", 2);
  wrong("peer_unpublished", "not published", 2);
  right("product_right");
  check(folder, "product_read_early", isPoisoned, "");
  wrong("product_written_early", "while products were under way");
  wrong("product_registers_written_early", "A's registers of lane 0 were written");
  wrong("product_not_begun", "without beginProducts");
  wrong("product_unpublished", "not published");
  wrong("product_overwritten", "which products under way read");
  wrong("product_left", "that nobody waits for");
  wrong("product_diverged", "begin different products");
  wrong("registers_too_many", "cannot have 250 registers");
  right("prerequisites_right", 1, true);
  wrong("prerequisites_stored_early", "before waitForPrerequisites", 1, true);
  wrong("prerequisites_loaded_early", "ahead of waitForPrerequisites", 1, true);
  wrong("prerequisites_not_waited", "waits for its prerequisites", 1, true);
  checkMaps();
  std::printf(failures == 0 ? "all hold\n" : "%d FAILED\n", failures);
  return failures != 0;
}
