// The time of every step, as JSON.
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "array.h"
#include "error.h"
#include "model_container.h"

namespace ait {
namespace {

void writeText(FILE* file, const char* text) {
  std::fputc('"', file);
  for (const char* next = text ? text : ""; *next; ++next) {
    const unsigned char character = static_cast<unsigned char>(*next);
    if (character < 0x20) {
      std::fprintf(file, "\\u%04x", character);
    } else {
      if (character == '"' || character == '\\') std::fputc('\\', file);
      std::fputc(character, file);
    }
  }
  std::fputc('"', file);
}

void writeShapes(FILE* file, const StepDescription& step, int32_t begin, int32_t end,
                 const Runtime& runtime) {
  std::fputc('[', file);
  for (int32_t operand = begin; operand < end; ++operand) {
    const OperandShape& shape = step.shapes[operand];
    std::fputs(operand == begin ? "[" : ", [", file);
    for (int32_t axis = 0; axis < shape.rank; ++axis) {
      std::fprintf(file, axis == 0 ? "%lld" : ", %lld",
                   static_cast<long long>(runtime.dimension(shape.dimensions[axis])));
    }
    std::fputc(']', file);
  }
  std::fputc(']', file);
}

// A count of work and its rate; both are left out where the compiler does not know the count.
void writeRate(FILE* file, const char* name, const char* rateName, int32_t entry,
               double nanoseconds, const Runtime& runtime) {
  if (entry < 0) return;
  const int64_t count = runtime.dimension(entry);
  std::fprintf(file, ", \"%s\": %lld, \"%s\": %.6g", name, static_cast<long long>(count), rateName,
               static_cast<double>(count) / nanoseconds);
}

void writeStep(FILE* file, const StepDescription& step, const StepTime& time, size_t iterationCount,
               int32_t threadCount, const Runtime& runtime) {
  // A step may be faster than the clock can tell.
  const double total = time.total > 0 ? static_cast<double>(time.total) : 1.0;
  const double nanoseconds = total / static_cast<double>(iterationCount);
  std::fputs("  ", file);
  writeText(file, step.name);
  std::fprintf(file, ": {\"ms_per_iter\": %.6g, \"ms_minimum\": %.6g, \"qps\": %.6g",
               nanoseconds * 1e-6, static_cast<double>(time.shortest) * 1e-6, 1e9 / nanoseconds);
  std::fputs(", \"input_sizes\": ", file);
  writeShapes(file, step, 0, step.inputCount, runtime);
  std::fputs(", \"output_sizes\": ", file);
  writeShapes(file, step, step.inputCount, step.operandCount, runtime);
  // Per nanosecond is 10⁹ per second.
  writeRate(file, "flops", "gflop_per_s", step.flops, nanoseconds, runtime);
  writeRate(file, "bytes", "gbyte_per_s", step.bytes, nanoseconds, runtime);
  std::fputs(", \"properties\": {\"operation\": ", file);
  writeText(file, step.operation);
  std::fputs(", \"kernel\": ", file);
  writeText(file, step.kernelName);
  std::fprintf(file, ", \"threads\": %d}}", threadCount);
}

}  // namespace

bool ModelContainer::profile(const RunArguments& arguments, size_t iterationCount,
                             const char* filename) {
  if (!filename) return fail("filename is null, expected the path of the JSON file to write");
  if (iterationCount == 0) return fail("found num_iters = 0, expected at least 1");
  Array<StepTime> times;
  if (!times.allocate(static_cast<size_t>(model_.stepCount))) {
    return failForMemory(static_cast<size_t>(model_.stepCount) * sizeof(StepTime), "the profile");
  }
  const Snapshot* constants = constants_.acquire(arguments.stream);
  if (!constants) return false;
  Runtime* runtime = acquireRuntime(arguments.stream);
  // Warm-up: memory, caches and branch predictors as in a model that is in use. And a check of the
  // arguments before the file is touched.
  bool isDone = runtime->run(arguments, *constants);
  FILE* file = isDone ? std::fopen(filename, "w") : nullptr;
  if (isDone && !file) isDone = fail("cannot write '%s': %s", filename, std::strerror(errno));
  if (isDone && runtime->queue()) isDone = runtime->queue()->prepareTiming();
  for (size_t iteration = 0; isDone && iteration < iterationCount; ++iteration) {
    isDone = runtime->run(arguments, *constants, times.data());
  }
  if (isDone) {
    std::fputs("{\n", file);
    for (size_t index = 0; index < times.count(); ++index) {
      writeStep(file, model_.steps[index], times[index], iterationCount, workers_.threadCount(),
                *runtime);
      std::fputs(index + 1 < times.count() ? ",\n" : "\n", file);
    }
    std::fputs("}\n", file);
  }
  if (runtime->queue()) runtime->queue()->finishTiming();
  releaseRuntime(runtime);
  constants_.release(constants);
  if (!file) return false;
  const bool isWritten = std::ferror(file) == 0;
  if ((std::fclose(file) != 0 || !isWritten) && isDone) {
    return fail("cannot write '%s': %s", filename, std::strerror(errno));
  }
  return isDone;
}

}  // namespace ait
