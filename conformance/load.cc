#include "conformance/load.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

namespace pipette::conformance {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

std::expected<Cases, std::string> load_cases(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> paths;
  std::error_code failure;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root, failure)) {
    const bool is_case_file = entry.path().extension() == ".md" && entry.path().parent_path() != root;
    if (is_case_file) paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  Cases cases;
  std::string wrong;
  for (const std::filesystem::path& path : paths) {
    auto parsed = parse_cases(path.lexically_relative(root).generic_string(), read_file(path));
    if (!parsed) {
      wrong += parsed.error() + "\n";
      continue;
    }
    std::ranges::move(*parsed, std::back_inserter(cases));
  }
  if (wrong.empty() && cases.empty()) wrong = "no case in " + root.string() + "\n";
  if (!wrong.empty()) return std::unexpected(wrong);
  return cases;
}

}  // namespace pipette::conformance
