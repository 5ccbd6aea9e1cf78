// Runs a fuzz target over every file of the corpus folders, and every file, given as arguments, and says how many: the
// corpora as ordinary tests, for compilers without a fuzzer. A file that the target refuses, such as a .txt with a
// mistake in it, is a failure.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool replay(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string octets{std::istreambuf_iterator<char>(stream), {}};
  std::printf("%s\n", file.c_str());  // the last line of a crash says which file
  std::fflush(stdout);
  const auto* const data = reinterpret_cast<const std::uint8_t*>(octets.data());  // NOLINT: its signature
  return LLVMFuzzerTestOneInput(data, octets.size()) == 0;
}

void collect(const std::filesystem::path& path, std::set<std::filesystem::path>& files) {
  if (!std::filesystem::is_directory(path)) {
    files.insert(path);
    return;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.insert(entry.path());
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::set<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) collect(argv[i], files);
  std::size_t refused = 0;
  for (const std::filesystem::path& file : files) {
    if (!replay(file)) ++refused;
  }
  std::printf("%zu files, %zu refused\n", files.size(), refused);
  return files.empty() || refused > 0 ? 1 : 0;
}
