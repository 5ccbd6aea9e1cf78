#include "pipette/coding/coding.h"

#include <array>

#include "pipette/base/ascii.h"

namespace pipette::coding {
namespace {

struct Name {
  Coding coding;
  std::string_view text;
};

// The first of a coding is its own.
constexpr std::array kNames = {
    Name{Coding::gzip, "gzip"}, Name{Coding::deflate, "deflate"}, Name{Coding::brotli, "br"},
    Name{Coding::zstd, "zstd"}, Name{Coding::gzip, "x-gzip"},
};

}  // namespace

std::string_view name_of(Coding coding) { return kNames[static_cast<std::size_t>(coding)].text; }

std::optional<Coding> coding_of(std::string_view name) {
  for (const Name& each : kNames) {
    if (ascii::equal_ignoring_case(each.text, name)) return each.coding;
  }
  return std::nullopt;
}

}  // namespace pipette::coding
