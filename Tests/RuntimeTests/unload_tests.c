/* Two libraries in one process: loaded, used, kept apart, unloaded. Arguments: their paths. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ait/ait.h"

static int passed, failed;

static void check(int is_true, const char* expression, int line) {
  if (is_true) {
    ++passed;
    return;
  }
  ++failed;
  printf("%s:%d: failed: %s\n", __FILE__, line, expression);
}

#define CHECK(expression) check((expression) != 0, #expression, __LINE__)

#define FIND(library, name) ((__typeof__(&name))find(library, #name))

static void* find(void* library, const char* name) {
  void* symbol = dlsym(library, name);
  if (!symbol) printf("no symbol %s\n", name);
  return symbol;
}

int main(int argument_count, char** arguments) {
  int round;
  if (argument_count != 3) return 2;
  for (round = 0; round < 3; ++round) {
    void* first = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    void* second = dlopen(arguments[2], RTLD_NOW | RTLD_LOCAL);
    AITemplateModelHandle handle = NULL, other = NULL;
    size_t count = 0;
    int status = 0;
    pid_t child;
    if (!first || !second) {
      printf("%s\n", dlerror());
      return 1;
    }
    CHECK(FIND(first, AITemplateModelContainerCreate)(&handle, 2, NULL) == 0);
    CHECK(FIND(second, AITemplateModelContainerCreate)(&other, 1, NULL) == 0);
    CHECK(FIND(first, AITemplateModelContainerGetNumRuntimes)(handle, &count) == 0 && count == 2);
    CHECK(FIND(first, AITemplateModelContainerGetNumRuntimes)(other, &count) != 0);
    CHECK(strstr(FIND(first, AITemplateGetLastError)(), "another library") != NULL);
    CHECK(*FIND(second, AITemplateGetLastError)() == 0);
    CHECK(FIND(first, AITemplateModelContainerDelete)(handle) == 0);
    CHECK(FIND(second, AITemplateModelContainerDelete)(other) == 0);
    CHECK(dlclose(first) == 0);
    CHECK(dlclose(second) == 0);
    CHECK(dlopen(arguments[1], RTLD_NOW | RTLD_NOLOAD) == NULL); /* it is gone */
    child = fork(); /* whose handlers are gone with it */
    if (child == 0) _exit(0);
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
