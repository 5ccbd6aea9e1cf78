#include "pipette/lab/artefacts.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "pipette/base/ascii.h"

namespace pipette::lab {
namespace {

bool write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  return !file.fail();
}

char file_name_char(char c) { return ascii::is_alpha(c) || ascii::is_digit(c) || c == '.' || c == '-' ? c : '_'; }

std::string file_name(std::string_view text) {
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), file_name_char);
  if (name.starts_with('.')) name[0] = '_';
  return name;
}

}  // namespace

void ArtefactFolder::add(const Artefact& artefact) {
  std::error_code ignored;  // the file says it
  std::filesystem::create_directories(folder_, ignored);
  const std::filesystem::path path = folder_ / free_name(file_name(artefact.name));
  if (write_file(path, artefact.content)) {
    files_.push_back(path);
  } else {
    std::fprintf(stderr, "pipette: cannot write %s; does PIPETTE_ARTEFACTS name a folder that may be written to?\n",
                 path.c_str());
  }
}

std::string ArtefactFolder::free_name(std::string_view name) const {
  const std::size_t dot = std::min(name.rfind('.'), name.size());
  std::string candidate(name);
  for (int number = 2; std::find(files_.begin(), files_.end(), folder_ / candidate) != files_.end(); ++number) {
    candidate = std::string(name.substr(0, dot)) + "-" + std::to_string(number) + std::string(name.substr(dot));
  }
  return candidate;
}

std::filesystem::path artefact_folder(std::string_view test) {
  const char* const all = std::getenv("PIPETTE_ARTEFACTS");
  if (all == nullptr || *all == '\0') return {};
  return std::filesystem::path(all) / file_name(test);
}

}  // namespace pipette::lab
