// Timing by replays of a CUDA graph.
#pragma once

#include <algorithm>
#include <functional>

#include "driver.h"

namespace device {

/// Work captured into a graph.
class Graph {
 public:
  explicit Graph(const std::function<void(Handle stream)>& work) {
    Driver& driver = Driver::shared();
    Handle graph;
    AIT_CALL(cuStreamBeginCapture, driver.stream(), 2);
    work(driver.stream());
    AIT_CALL(cuStreamEndCapture, driver.stream(), &graph);
    AIT_CALL(cuGraphInstantiate, &executable_, graph, 0);
    AIT_CALL(cuGraphDestroy, graph);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() { Driver::shared().cuGraphExecDestroy(executable_); }

  void launch() const { AIT_CALL(cuGraphLaunch, executable_, Driver::shared().stream()); }

 private:
  Handle executable_ = nullptr;
};

/// The median over rounds of the microseconds that a replay takes, many replays in a row. Caches
/// stay warm unless the work itself is larger than they are.
inline double microseconds(const Graph& graph, int replays = 100, int rounds = 15) {
  Driver& driver = Driver::shared();
  static Handle start = nullptr;
  static Handle end = nullptr;
  if (start == nullptr) {
    AIT_CALL(cuEventCreate, &start, 0);
    AIT_CALL(cuEventCreate, &end, 0);
  }
  std::vector<double> times;
  for (int round = 0; round < rounds + 2; ++round) {
    AIT_CALL(cuEventRecord, start, driver.stream());
    for (int i = 0; i < replays; ++i) graph.launch();
    AIT_CALL(cuEventRecord, end, driver.stream());
    AIT_CALL(cuEventSynchronize, end);
    float milliseconds = 0;
    AIT_CALL(cuEventElapsedTime, &milliseconds, start, end);
    if (round >= 2) times.push_back(milliseconds * 1000.0 / replays);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace device
