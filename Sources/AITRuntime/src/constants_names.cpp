// Constants by their names.
#include <cstring>

#include "constants.h"
#include "error.h"

namespace ait {

int32_t Constants::find(const char* name) const {
  for (int32_t index = 0; index < model_.constantCount; ++index) {
    if (std::strcmp(model_.constants[index].name, name) == 0) return index;
  }
  for (int32_t index = 0; index < model_.constantCount; ++index) {
    const char* original = model_.constants[index].originalName;
    if (original && std::strcmp(original, name) == 0) return index;
  }
  fail(
      "found no constant '%s' among the model's %d; AITemplateModelContainerGetConstantNames lists "
      "them",
      name, model_.constantCount);
  return -1;
}

bool Constants::isListed(const ConstantDescription& constant, bool unboundOnly,
                         bool foldingInputsOnly) const {
  // Literals of the program are no business of the user's.
  if (constant.originalName && !*constant.originalName) return false;
  return !(unboundOnly && constant.isBound) && !(foldingInputsOnly && !constant.isFoldingInput);
}

size_t Constants::count(bool unboundOnly, bool foldingInputsOnly) const {
  size_t count = 0;
  for (int32_t index = 0; index < model_.constantCount; ++index) {
    count += isListed(model_.constants[index], unboundOnly, foldingInputsOnly) ? 1 : 0;
  }
  return count;
}

void Constants::writeNames(bool unboundOnly, bool foldingInputsOnly, const char** names) const {
  for (int32_t index = 0; index < model_.constantCount; ++index) {
    const ConstantDescription& constant = model_.constants[index];
    if (isListed(constant, unboundOnly, foldingInputsOnly)) *names++ = constant.name;
  }
}

}  // namespace ait
