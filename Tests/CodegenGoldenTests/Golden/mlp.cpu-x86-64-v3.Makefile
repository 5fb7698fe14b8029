# Builds libmlp.so with clang++ alone. Generated.
# Make's own choice is not clang, whose vector extensions the kernels use.
ifeq ($(origin CXX),default)
CXX := clang++
endif
# Nothing, unless the target is another architecture than the machine that compiled the model.
MACHINE :=
CXXFLAGS := -O3 $(MACHINE) -std=c++17 -fPIC -fvisibility=hidden -ffp-contract=fast -fno-math-errno -fno-trapping-math -ffunction-sections -fdata-sections -fno-ident -Wall -Wno-psabi -Wno-unused-function -Werror=return-type -march=x86-64-v3 -Iruntime/include -Iruntime/src -Iprelude -I.
SOURCES := \
  runtime/src/allocators.cpp \
  runtime/src/arguments.cpp \
  runtime/src/benchmark.cpp \
  runtime/src/c_api.cpp \
  runtime/src/c_api_additions.cpp \
  runtime/src/c_api_device.cpp \
  runtime/src/c_api_memory.cpp \
  runtime/src/c_api_queries.cpp \
  runtime/src/constants.cpp \
  runtime/src/constants_compiled.cpp \
  runtime/src/constants_names.cpp \
  runtime/src/error.cpp \
  runtime/src/folding.cpp \
  runtime/src/model_container.cpp \
  runtime/src/processors.cpp \
  runtime/src/profile.cpp \
  runtime/src/runtime.cpp \
  runtime/src/self_test.cpp \
  runtime/src/snapshot.cpp \
  runtime/src/tensors.cpp \
  runtime/src/thread_pool.cpp \
  kernels/pack_float16_5851c5d600055eea.cpp \
  kernels/pointwise_float16_7d56df64d5438062.cpp \
  kernels/matmul_float16_e1bb40ddd8c066c5.cpp \
  kernels/matmul_float16_6d35f8b005826839.cpp \
  kernels/softmax_float16_259bbcc35aea1c19.cpp \
  kernels/pointwise_float16_112759fcfe9dd309.cpp \
  model.cpp \
  stages.S \
  constants.cpp
OBJECTS := $(SOURCES:%=%.make.o)

libmlp.so: $(OBJECTS) constants.o
	$(CXX) $(MACHINE) -shared -o $@ $^ -static-libstdc++ -static-libgcc -pthread -Wl,--exclude-libs,ALL -lm

%.cpp.make.o: %.cpp
	$(CXX) $(CXXFLAGS) -c $< -o $@

%.S.make.o: %.S
	$(CXX) $(MACHINE) -c $< -o $@

.PHONY: clean
clean:
	rm -f $(OBJECTS) libmlp.so
