#include "pipette/lab/expectation.h"

#include <algorithm>

#include "pipette/inmem/text.h"
#include "pipette/lab/failure.h"

namespace pipette::lab {
namespace {

// How much is shown on each side of the first difference.
constexpr std::size_t kShownBefore = 40;
constexpr std::size_t kShownBehind = 60;

std::string cut_around(Bytes text, std::size_t at) {
  const std::size_t begin = at > kShownBefore ? at - kShownBefore : 0;
  return text.size() < begin ? "" : std::string(text.substr(begin, at - begin + kShownBehind));
}

}  // namespace

std::string describe(const Where& where) {
  const std::string_view path = where.file_name();
  const std::size_t slash = path.find_last_of('/');
  return std::string(path.substr(slash == std::string_view::npos ? 0 : slash + 1)) + ":" + std::to_string(where.line());
}

void fail_expectation(const std::string& text, const Where& where) {
  if (framework_probe != nullptr) framework_probe().abandon(text, where);
  throw ExpectationFailed(describe(where) + ": " + text);
}

std::size_t common_prefix(Bytes first, Bytes second) {
  const std::size_t size = std::min(first.size(), second.size());
  const auto [here, there] =
      std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(size), second.begin());
  return static_cast<std::size_t>(here - first.begin());
}

std::string describe_difference(Bytes expected, Bytes received, std::size_t at) {
  const std::string wanted = cut_around(expected, at);
  const std::string got = cut_around(received, at);
  const std::string_view ellipsis = at > kShownBefore ? "…" : "";
  const std::size_t before = std::min({at, kShownBefore, got.size()});
  const std::string same = inmem::quote(Bytes(got).substr(0, before));
  std::string text = "  expected  " + std::string(ellipsis) + inmem::quote(wanted, kShownBefore + kShownBehind) + "\n";
  text += "  received  " + std::string(ellipsis) + inmem::quote(got, kShownBefore + kShownBehind) + "\n";
  text += "            " + std::string(same.size() - 1 + (ellipsis.empty() ? 0 : 1), ' ') + "^\n";
  return text;
}

}  // namespace pipette::lab
