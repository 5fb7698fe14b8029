// The compiler's C interface, given requests that are right, wrong and broken.
//
//   bridge_fuzz [ROUNDS [SEED]]
//
// Every reply is a JSON object, and the process lives: built with AddressSanitizer (`make
// sanitize-bridge`), no request reads or writes outside of what it may. Requests that name memory
// are sent as they are: their addresses must be right.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

extern "C" {
const char* AITCompilerVersion();
char* AITCompilerCall(const char* method, const char* request);
void AITCompilerFreeText(char* text);
}

namespace {

int failures = 0;

void expect(bool isTrue, const char* what, const std::string& detail) {
  if (isTrue) return;
  ++failures;
  std::printf("failed: %s: %s\n", what, detail.substr(0, 400).c_str());
}

std::string call(const std::string& method, const std::string& request) {
  char* text = AITCompilerCall(method.c_str(), request.c_str());
  expect(text != nullptr, "a reply", method);
  std::string reply = text ? text : "";
  AITCompilerFreeText(text);
  expect(reply.size() >= 2 && reply.front() == '{' && reply.back() == '}', "an object", reply);
  return reply;
}

bool isError(const std::string& reply) { return reply.find("\"error\"") != std::string::npos; }

/// The number that follows a field of a reply.
long number(const std::string& reply, const char* field) {
  const std::string key = std::string("\"") + field + "\":";
  const size_t place = reply.find(key);
  return place == std::string::npos ? -1 : std::atol(reply.c_str() + place + key.size());
}

void fails(const char* method, const std::string& request, const char* identity) {
  const std::string reply = call(method, request);
  expect(isError(reply), "an error", reply);
  expect(reply.find(identity) != std::string::npos, identity, reply);
}

std::string tensor(long handle) { return "{\"tensor\":" + std::to_string(handle) + "}"; }

void useRightly() {
  expect(std::strstr(AITCompilerVersion(), "AITemplate") != nullptr, "version", "");
  expect(call("catalog", "{}").find("gemm_rcr_bias_add_relu") != std::string::npos, "names", "");
  const std::string batch = call("dimension.symbol", R"({"name":"batch","lower":1,"upper":64})");
  const std::string extent = "{\"dimension\":" + std::to_string(number(batch, "dimension")) + "}";
  const std::string x =
      call("tensor.input", R"({"name":"x","dtype":"float32","shape":[)" + extent + R"(,{"i":8}]})");
  float elements[24];
  for (int index = 0; index < 24; ++index) elements[index] = static_cast<float>(index);
  const std::string memory = R"({"memory":{"address":)" +
                             std::to_string(reinterpret_cast<intptr_t>(elements)) +
                             R"(,"dtype":"float32","shape":[3,8]}})";
  const std::string weight = call("tensor.constant", memory);
  const std::string y =
      call("apply", R"({"operator":"gemm_rcr","arguments":{"a":)" + tensor(number(x, "tensor")) +
                        ",\"b\":" + tensor(number(weight, "tensor")) +
                        R"(},"at":{"file":"model.py","line":7}})");
  expect(!isError(y) && y.find("float32") != std::string::npos, "a product", y);
  const std::string program =
      R"({"program":{"name":"p","outputs":[{"tensor":)" + std::to_string(number(y, "tensor")) +
      R"(,"name":"y"}],"inputs":[{"tensor":)" + std::to_string(number(x, "tensor")) +
      R"(,"name":"renamed"}],"parameters":[],"constants":[]},"optimizes":true,"withShapes":true})";
  expect(call("graph", program).find("renamed") != std::string::npos, "the input's name", program);
  call("tensor.release", R"({"tensors":[)" + std::to_string(number(y, "tensor")) + "]}");
  fails("graph", program, "invalid-argument");
  // A mistake is told with the line of the program.
  const std::string wrong =
      call("apply", R"({"operator":"gemm_rrr","arguments":{"a":)" + tensor(number(x, "tensor")) +
                        ",\"b\":" + tensor(number(x, "tensor")) +
                        R"(},"at":{"file":"model.py","line":9}})");
  expect(isError(wrong) && wrong.find("model.py:9") != std::string::npos, "the line", wrong);
}

void useWrongly() {
  fails("nothing", "{}", "invalid-argument");
  fails("apply", "", "invalid-argument");
  fails("apply", "{\"operator\":", "invalid-argument");
  fails("apply", R"({"operator":"gemm","arguments":{}})", "unknown-operator");
  fails("apply", R"({"operator":"gemm_rcr","arguments":{}})", "invalid-argument");
  fails("apply", R"({"operator":"gemm_rcr","arguments":{"a":{"tensor":99999},"b":{}}})",
        "invalid-argument");
  fails("tensor.input", R"({"name":"x","dtype":"float7","shape":[]})", "dtype-mismatch");
  fails("tensor.input",
        R"({"name":"x","dtype":"float32","shape":[{"i":4611686018427387904},{"i":9}]})",
        "size-limit");
  fails("tensor.input", R"({"name":"x","dtype":"float32","shape":[{"i":-3}]})", "");
  fails("tensor.input", R"({"name":"x","dtype":"float32","shape":[{"dimension":77777}]})",
        "invalid-argument");
  fails("dimension.symbol", R"({"name":"b","lower":9,"upper":3})", "invalid-argument");
  fails("dimension.symbol", R"({"name":"b","lower":-9,"upper":3})", "invalid-argument");
  fails("dimension.combine", R"({"function":"divide","left":{"i":3},"right":{"i":0}})",
        "invalid-argument");
  fails("tensor.constant", R"({"memory":{"address":0,"dtype":"float32","shape":[4]}})",
        "invalid-argument");
  fails("tensor.constant",
        R"({"memory":{"address":8,"dtype":"float32","shape":[9223372036854775807,4]}})", "");
  fails("tensor.constant", R"({"memory":{"address":8,"dtype":"float32","shape":[-1]}})", "");
  fails("target", R"({"target":"cpu:z80"})", "unknown-target");
  fails("graph",
        R"({"program":{"name":"","outputs":[],"inputs":[],"parameters":[],"constants":[]},)"
        R"("optimizes":false,"withShapes":false})",
        "missing-output");
  std::string nested = R"({"operator":"elementwise","arguments":{"args":)";
  for (int depth = 0; depth < 5000; ++depth) nested += R"({"list":[)";
  fails("apply", nested, "");
  for (int depth = 0; depth < 5000; ++depth) nested += "]}";
  fails("apply", nested + "}}", "");
  AITCompilerFreeText(nullptr);
  AITCompilerFreeText(AITCompilerCall(nullptr, nullptr));
}

/// Requests with bytes changed, parts repeated and numbers exchanged.
void mutate(int rounds, unsigned seed) {
  const std::vector<std::pair<const char*, std::string>> seeds = {
      {"dimension.symbol", R"({"name":"batch","lower":1,"upper":64})"},
      {"dimension.combine", R"({"function":"multiply","left":{"dimension":0},"right":{"i":12}})"},
      {"dimension.combine", R"({"function":"divide","left":{"dimension":0},"right":{"i":3}})"},
      {"tensor.input",
       R"({"name":"x","dtype":"float16","shape":[{"dimension":0},{"i":8},{"i":4}]})"},
      {"tensor.parameter", R"({"name":"w","dtype":"float16","shape":[{"i":8},{"i":4}]})"},
      {"apply",
       R"({"operator":"elementwise","arguments":{"func_enum":{"s":"CLAMP_NAN_TO_NUM"},)"
       R"("args":{"list":[{"tensor":5},{"f":0.5},{"i":3}]}},"at":{"file":"a.py","line":3}})"},
      {"apply", R"({"operator":"reshape","arguments":{"x":{"tensor":5},)"
                R"("shape":{"list":[{"i":-1},{"dimension":0},{"i":4}]}}})"},
      {"apply",
       R"({"operator":"concatenate","arguments":{"inputs":{"list":[{"tensor":5},{"tensor":6}]},)"
       R"("dim":{"i":1}}})"},
      {"apply",
       R"({"operator":"conv2d","arguments":{"stride":{"i":2},"pad":{"i":1},"dilate":{"i":1},)"
       R"("group":{"i":1},"x":{"tensor":5},"w":{"tensor":6}}})"},
      {"apply",
       R"({"operator":"dynamic_slice","arguments":{"x":{"tensor":5},)"
       R"("start_indices":{"list":[{"i":0},{"i":1},{}]},"end_indices":{"list":[{},{"i":3},{}]}}})"},
      {"graph", R"({"program":{"name":"p","outputs":[{"tensor":5,"name":"y"}],"inputs":[],)"
                R"("parameters":[],"constants":[]},"optimizes":true,"withShapes":true})"},
      {"target", R"({"target":"cuda:sm_80+sm_90a"})"},
  };
  const char* numbers[] = {"0",
                           "-1",
                           "1",
                           "9223372036854775807",
                           "-9223372036854775808",
                           "65536",
                           "1e400",
                           "0.5",
                           "null",
                           "true",
                           "\"\"",
                           "{}",
                           "[]"};
  std::mt19937 random(seed);
  const auto below = [&](size_t bound) { return static_cast<size_t>(random() % bound); };
  for (int round = 0; round < rounds; ++round) {
    auto [method, text] = seeds[below(seeds.size())];
    for (size_t change = 0, count = 1 + below(3); change < count && !text.empty(); ++change) {
      const size_t place = below(text.size());
      switch (below(4)) {
        case 0:
          text[place] = static_cast<char>(1 + below(255));
          break;
        case 1:
          text.erase(place, 1 + below(8));
          break;
        case 2:
          text.insert(place, text.substr(below(text.size()), 1 + below(24)));
          break;
        default: {
          const size_t digit = text.find_first_of("0123456789", place);
          if (digit == std::string::npos) break;
          const size_t end = text.find_first_not_of("0123456789", digit);
          text.replace(digit, end == std::string::npos ? end : end - digit,
                       numbers[below(sizeof numbers / sizeof *numbers)]);
        }
      }
    }
    call(method, text);
  }
}

}  // namespace

int main(int argumentCount, char** arguments) {
  const int rounds = argumentCount > 1 ? std::atoi(arguments[1]) : 3000;
  const unsigned seed = argumentCount > 2 ? static_cast<unsigned>(std::atol(arguments[2])) : 1;
  useRightly();
  useWrongly();
  mutate(rounds, seed);
  std::vector<std::thread> threads;
  for (unsigned index = 0; index < 4; ++index) {
    threads.emplace_back([=] { mutate(rounds / 8, seed + 1 + index); });
  }
  for (std::thread& thread : threads) thread.join();
  std::printf("%d requests, %d failures\n", rounds + rounds / 8 * 4, failures);
  return failures == 0 ? 0 : 1;
}
