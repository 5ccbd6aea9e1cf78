// What the environment says, and what we say in it to processes of ours.
//
// Threads  one, before others run.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

namespace pipette::app {

inline constexpr const char* kListenParent = "PIPETTE_LISTEN_PARENT";
inline constexpr const char* kListenDescriptors = "PIPETTE_LISTEN_FDS";
inline constexpr const char* kReadyDescriptor = "PIPETTE_READY_FD";
inline constexpr const char* kProcessNumber = "PIPETTE_PROCESS";  // of those of one master, from 0

// Empty: there is none.
inline std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

// A decimal number that is nothing else, and no negative one.
template <class Number = int>
std::optional<Number> number_in(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

// The words of a list, one after the other; an empty list has none.
class Words {
 public:
  Words(std::string_view list, char separator) : rest_(list), separator_(separator), is_over_(list.empty()) {}

  std::optional<std::string_view> next() {
    if (is_over_) return std::nullopt;
    const std::size_t end = rest_.find(separator_);
    const std::string_view word = rest_.substr(0, end);
    is_over_ = end == std::string_view::npos;
    if (!is_over_) rest_.remove_prefix(end + 1);
    return word;
  }

 private:
  std::string_view rest_;
  char separator_;
  bool is_over_;
};

}  // namespace pipette::app
