// Where names come from, the best first: the debug information, read by libbacktrace within this process; a sanitizer's
// runtime, when the program has one; the symbols that the loader knows.

#include "pipette/guard/internal/names.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>
#include <memory>

#ifdef PIPETTE_GUARD_HAS_LIBBACKTRACE
extern "C" {
struct backtrace_state;
using backtrace_error = void (*)(void* data, const char* message, int number);
using backtrace_full = int (*)(void* data, std::uintptr_t address, const char* file, int line, const char* function);
using backtrace_syminfo_found = void (*)(void* data, std::uintptr_t address, const char* symbol, std::uintptr_t value,
                                         std::uintptr_t size);
backtrace_state* backtrace_create_state(const char* file, int threaded, backtrace_error error, void* data);
int backtrace_pcinfo(backtrace_state* state, std::uintptr_t address, backtrace_full found, backtrace_error error,
                     void* data);
int backtrace_syminfo(backtrace_state* state, std::uintptr_t address, backtrace_syminfo_found found,
                      backtrace_error error, void* data);
}
#endif

extern "C" [[gnu::weak]] void __sanitizer_symbolize_pc(void* address, const char* format, char* into, std::size_t size);

namespace pipette::guard::internal {
namespace {

constexpr std::string_view kLibraries[] = {
    "libc.so",     "libm.so",    "libpthread.so", "librt.so",     "libdl.so",   "libresolv.so",
    "libnss_",     "ld-linux",   "linux-vdso",    "libstdc++.so", "libc++.so",  "libc++abi.so",
    "libgcc_s.so", "libasan.so", "libubsan.so",   "libtsan.so",   "liblsan.so", "libclang_rt.",
};
constexpr std::string_view kCrypto[] = {"libcrypto.so", "libssl.so", "libcrypto-", "libssl-"};

template <std::size_t kSize>
bool starts_with_any(std::string_view text, const std::string_view (&prefixes)[kSize]) {
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return text.starts_with(prefix); });
}

struct Search {
  std::uintptr_t address;
  const char* binary = nullptr;
  std::uintptr_t base = 0;
};

int visit_binary(dl_phdr_info* binary, std::size_t, void* argument) {
  Search& search = *static_cast<Search*>(argument);
  for (int i = 0; i < binary->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = binary->dlpi_phdr[i];
    const std::uintptr_t begin = binary->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || search.address < begin || search.address - begin >= segment.p_memsz) continue;
    search.binary = binary->dlpi_name;
    search.base = binary->dlpi_addr;
    return 1;
  }
  return 0;
}

// Which binary an address is in. Allocates nothing.
Search find_binary(std::uintptr_t address) {
  Search search{address};
  dl_iterate_phdr(&visit_binary, &search);
  return search;
}

// A coroutine goes on in a function of the compiler's making. The user's is "f(int)":
//   clang    "f(int) [clone .resume]"
//   g++      "f(f(int)::_Z1fi.Frame*) [clone .actor]"
std::string name_of_coroutine(std::string name) {
  name.erase(std::min(name.find(" [clone ."), name.size()));
  const std::size_t frame = name.rfind("::_Z");
  if (frame == name.npos || !name.ends_with(".Frame*)")) return name;
  const std::string twice = name.substr(0, frame);  // "f(f(int)"
  for (std::size_t i = twice.find('('); i != twice.npos; i = twice.find('(', i + 1)) {
    if (twice.substr(i + 1).starts_with(twice.substr(0, i + 1))) return twice.substr(i + 1);
  }
  return name;
}

std::string demangle(std::string symbol) {
  if (!symbol.starts_with("_Z")) return symbol;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 && text != nullptr ? name_of_coroutine(text.get()) : symbol;
}

// libbacktrace puts the compiler's folder before some paths that are whole already (clang): "/build//src/a.cc".
std::string_view whole_path(std::string_view file) {
  const std::size_t joint = file.rfind("//");
  return joint == file.npos ? file : file.substr(joint + 1);
}

std::vector<Frame> frames_from_debug_information([[maybe_unused]] std::uintptr_t address) {
  std::vector<Frame> frames;
#ifdef PIPETTE_GUARD_HAS_LIBBACKTRACE
  constexpr auto kIgnore = [](void*, const char*, int) {};
  static backtrace_state* const state = backtrace_create_state(nullptr, 1, kIgnore, nullptr);
  if (state == nullptr) return frames;
  constexpr auto kAdd = [](void* data, std::uintptr_t, const char* file, int line, const char* function) {
    Frame frame;
    if (function != nullptr) frame.name = demangle(function);
    if (file != nullptr) frame.file = whole_path(file);
    frame.line = line;
    static_cast<std::vector<Frame>*>(data)->push_back(std::move(frame));
    return 0;
  };
  backtrace_pcinfo(state, address, kAdd, kIgnore, &frames);
  if (frames.empty()) frames.emplace_back();
  constexpr auto kName = [](void* data, std::uintptr_t, const char* symbol, std::uintptr_t, std::uintptr_t) {
    if (symbol != nullptr) *static_cast<std::string*>(data) = demangle(symbol);
  };
  // The symbol has the parameters, which the debug information of a function may lack.
  std::string name;
  backtrace_syminfo(state, address, kName, kIgnore, &name);
  if (!name.empty()) frames.back().name = name;
#endif
  return frames;
}

std::vector<Frame> frames_from_sanitizer(std::uintptr_t address) {
  std::vector<Frame> frames;
  if (__sanitizer_symbolize_pc == nullptr) return frames;
  // One text for each function, "name\nfile\nline", and an empty one after the last. The runtime takes one from the
  // address by itself.
  std::array<char, 8192> texts{};
  __sanitizer_symbolize_pc(reinterpret_cast<void*>(address + 1), "%f\n%s\n%l", texts.data(), texts.size() - 1);
  for (const char* text = texts.data(); *text != '\0'; text += std::strlen(text) + 1) {
    const std::string_view all = text;
    const std::size_t name_end = all.find('\n');
    const std::size_t file_end = all.find('\n', name_end == all.npos ? name_end : name_end + 1);
    if (file_end == all.npos || all.starts_with('<') || all.starts_with('?')) continue;
    Frame frame;
    frame.name = all.substr(0, name_end);
    frame.file = all.substr(name_end + 1, file_end - name_end - 1);
    frame.line = std::atoi(text + file_end + 1);
    if (frame.file.starts_with('<') || frame.file.starts_with('?')) frame.file.clear();
    frames.push_back(std::move(frame));
  }
  return frames;
}

std::vector<Frame> frames_from_loader(std::uintptr_t address) {
  std::vector<Frame> frames(1);
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(address), &info) != 0 && info.dli_sname != nullptr) {
    frames.front().name = demangle(info.dli_sname);
  }
  return frames;
}

bool has_name(const std::vector<Frame>& frames) { return !frames.empty() && !frames.back().name.empty(); }

}  // namespace

Owner owner_of(std::string_view binary) {
  const std::string_view name = binary.substr(binary.rfind('/') + 1);
  if (starts_with_any(name, kLibraries)) return Owner::library;
  if (starts_with_any(name, kCrypto)) return Owner::crypto;
  return Owner::program;
}

Owner owner_at(std::uintptr_t address) {
  const Search search = find_binary(address);
  return search.binary == nullptr ? Owner::program : owner_of(search.binary);
}

std::vector<Frame> frames_at(std::uintptr_t return_address) {
  const std::uintptr_t address = return_address - 1;  // in the call, no longer behind it
  std::vector<Frame> frames = frames_from_debug_information(address);
  if (!has_name(frames)) frames = frames_from_sanitizer(address);
  if (!has_name(frames)) frames = frames_from_loader(address);
  const Search search = find_binary(address);
  for (Frame& frame : frames) {
    if (search.binary == nullptr) continue;
    frame.owner = owner_of(search.binary);
    frame.binary = *search.binary != '\0' ? search.binary : program_invocation_name;
    frame.offset = address - search.base;
  }
  return frames;
}

std::string plain_name(std::string_view demangled) {
  constexpr std::string_view kUnnamed = "(anonymous namespace)";
  constexpr std::string_view kVersions[] = {"_V2::", "__cxx11::"};
  std::string name;
  int depth = 0;  // of template arguments
  for (std::size_t i = 0; i < demangled.size(); ++i) {
    const std::string_view rest = demangled.substr(i);
    const char c = demangled[i];
    if (rest.starts_with("operator") && depth == 0) {
      const std::size_t end = std::min(rest.find('(', rest.starts_with("operator()") ? 10 : 0), rest.size());
      return name += rest.substr(0, end);
    }
    if (c == '<') {
      ++depth;
    } else if (c == '>') {
      --depth;
    } else if (depth > 0) {
      continue;
    } else if (rest.starts_with(kUnnamed)) {
      name += kUnnamed;
      i += kUnnamed.size() - 1;
    } else if (c == '(') {
      break;
    } else if (c == ' ') {
      name.clear();  // that was the result's type
    } else if (starts_with_any(rest, kVersions)) {
      i = demangled.find("::", i) + 1;
    } else {
      name += c;
    }
  }
  return name;
}

bool is_library_function(std::string_view demangled) {
  constexpr std::string_view kPrefixes[] = {
      "std::",         "__gnu_cxx::", "__interceptor_", "___interceptor_", "__sanitizer_",
      "__sanitizer::", "__asan",      "__tsan",         "__ubsan"};
  return starts_with_any(plain_name(demangled), kPrefixes);
}

}  // namespace pipette::guard::internal
