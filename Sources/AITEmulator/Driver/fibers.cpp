#include "fibers.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "ait/gpu/dialect_emulated_engine.h"

#if defined(__x86_64__)

__asm__(
    ".text\n"
    ".globl aitSwitchFiber\n"
    ".hidden aitSwitchFiber\n"
    ".type aitSwitchFiber, @function\n"
    "aitSwitchFiber:\n"
    "  pushq %rbp\n"
    "  pushq %rbx\n"
    "  pushq %r12\n"
    "  pushq %r13\n"
    "  pushq %r14\n"
    "  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n"
    "  popq %r14\n"
    "  popq %r13\n"
    "  popq %r12\n"
    "  popq %rbx\n"
    "  popq %rbp\n"
    "  ret\n"
    ".size aitSwitchFiber, . - aitSwitchFiber\n");

#elif defined(__aarch64__)

__asm__(
    ".text\n"
    ".globl aitSwitchFiber\n"
    ".hidden aitSwitchFiber\n"
    ".type aitSwitchFiber, %function\n"
    "aitSwitchFiber:\n"
    "  sub sp, sp, #160\n"
    "  stp x19, x20, [sp, #0]\n"
    "  stp x21, x22, [sp, #16]\n"
    "  stp x23, x24, [sp, #32]\n"
    "  stp x25, x26, [sp, #48]\n"
    "  stp x27, x28, [sp, #64]\n"
    "  stp x29, x30, [sp, #80]\n"
    "  stp d8, d9, [sp, #96]\n"
    "  stp d10, d11, [sp, #112]\n"
    "  stp d12, d13, [sp, #128]\n"
    "  stp d14, d15, [sp, #144]\n"
    "  mov x9, sp\n"
    "  str x9, [x0]\n"
    "  mov sp, x1\n"
    "  ldp x19, x20, [sp, #0]\n"
    "  ldp x21, x22, [sp, #16]\n"
    "  ldp x23, x24, [sp, #32]\n"
    "  ldp x25, x26, [sp, #48]\n"
    "  ldp x27, x28, [sp, #64]\n"
    "  ldp x29, x30, [sp, #80]\n"
    "  ldp d8, d9, [sp, #96]\n"
    "  ldp d10, d11, [sp, #112]\n"
    "  ldp d12, d13, [sp, #128]\n"
    "  ldp d14, d15, [sp, #144]\n"
    "  add sp, sp, #160\n"
    "  ret\n"
    ".size aitSwitchFiber, . - aitSwitchFiber\n");

#else
#error "fibers are written for x86-64 and aarch64"
#endif

namespace emulator {

using ait::emulated::kStackSize;

StackPool& StackPool::shared() {
  static StackPool* pool = new StackPool();  // outlives the threads of streams
  return *pool;
}

char* StackPool::acquire() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (free_.empty()) {
    // Many at once, and one more, of which the part before the first multiple is left unused.
    constexpr size_t kCount = 128;
    void* memory = mmap(nullptr, (kCount + 1) * kStackSize, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    const uintptr_t begin =
        (reinterpret_cast<uintptr_t>(memory) + kStackSize - 1) / kStackSize * kStackSize;
    for (size_t i = kCount; i-- > 0;) {
      char* stack = reinterpret_cast<char*>(begin + i * kStackSize);
      mprotect(stack, static_cast<size_t>(sysconf(_SC_PAGESIZE)), PROT_NONE);
      free_.push_back(stack);
    }
  }
  char* stack = free_.back();
  free_.pop_back();
  return stack;
}

void StackPool::release(char* stack) {
  std::lock_guard<std::mutex> lock(mutex_);
  free_.push_back(stack);
}

void* prepareStack(char* stack, void* owner, void (*main)()) {
  char* end = stack + kStackSize;
  std::memcpy(end - 16, &owner, sizeof(owner));
#if defined(__x86_64__)
  // As after a call: the stack pointer is 8 more than a multiple of 16.
  void** top = reinterpret_cast<void**>(end - 64);
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(main);
  top -= 6;
  std::memset(top, 0, 6 * sizeof(void*));
#else
  void** top = reinterpret_cast<void**>(end - 64 - 160);
  std::memset(top, 0, 160);
  top[11] = reinterpret_cast<void*>(main);  // x30
#endif
  return top;
}

}  // namespace emulator
