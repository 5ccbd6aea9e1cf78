#include "pipette/client/public_suffixes.h"

#include <libpsl.h>
#include <string>

namespace pipette::client {
namespace {

class BuiltinPublicSuffixes final : public PublicSuffixes {
 public:
  bool contains(std::string_view domain) const override {
    const psl_ctx_t* const list = psl_builtin();
    return list == nullptr || psl_is_public_suffix(list, std::string(domain).c_str()) != 0;
  }
};

}  // namespace

const PublicSuffixes& builtin_public_suffixes() {
  static const BuiltinPublicSuffixes suffixes;
  return suffixes;
}

}  // namespace pipette::client
