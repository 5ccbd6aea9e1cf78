#include "pipette/guard/guard.h"

#include <algorithm>

#include "pipette/guard/internal/names.h"
#include "pipette/guard/internal/notes.h"

namespace pipette::guard {
namespace {

using internal::Frame;
using internal::Note;
using internal::Owner;

bool is_in_header_of_the_library(const Frame& frame) { return frame.file.find("/include/c++/") != frame.file.npos; }

// The C++ library's functions are also compiled into the program, and debug information may give them no full names.
bool is_library(const Frame& frame) {
  return frame.owner == Owner::library || internal::is_library_function(frame.name) ||
         is_in_header_of_the_library(frame);
}

std::string library_name(const Frame& frame) {
  const std::string name = internal::plain_name(frame.name);
  const bool lacks_namespace = is_in_header_of_the_library(frame) && name.find("::") == name.npos;
  return (lacks_namespace ? "std::" : "") + name;
}

std::string with_parentheses(const std::string& name) { return name.ends_with(')') ? name : name + "()"; }

// Goes outwards to the first function that is the user's; the last one before it is what the user called.
Leak describe(const Note& note) {
  Leak leak;
  leak.kind = note.kind;
  leak.function = note.function;
  leak.times = note.times;
  for (std::size_t i = 0; i < note.stack.depth; ++i) {
    for (const Frame& frame : internal::frames_at(note.stack.frames[i])) {
      if (is_library(frame)) {
        if (!frame.name.empty()) leak.through = with_parentheses(library_name(frame));
        continue;
      }
      leak.caller = frame.name;
      leak.file = frame.file;
      leak.line = frame.line;
      leak.binary = frame.binary;
      leak.offset = frame.offset;
      return leak;
    }
  }
  return leak;
}

bool is_same_place(const Leak& one, const Leak& other) {
  return one.function == other.function && one.binary == other.binary && one.offset == other.offset;
}

std::string_view remedy(Kind kind) {
  switch (kind) {
    case Kind::clock:
      return "ask ctx.now() or loop.now()";
    case Kind::sleep:
      return "co_await sleep_until(loop, ...) instead";
    case Kind::wait:
      return "wait for a connection of runtime.network()";
    case Kind::socket:
      return "ask runtime.network() to listen, dial or resolve";
    case Kind::thread:
      return "stay on the loop: start a Task in a TaskGroup";
    case Kind::chance:
      return "draw from runtime.random(\"a name\")";
  }
  return {};
}

std::string place_of(const Leak& leak) {
  if (!leak.file.empty()) return leak.file + ":" + std::to_string(leak.line);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string digits;
  for (std::uintptr_t rest = leak.offset; rest != 0; rest /= 16) digits += kDigits[rest % 16];
  return leak.binary + "+0x" + std::string(digits.rbegin(), digits.rend());
}

}  // namespace

std::vector<Leak> leaks() {
  std::vector<Leak> found;
  for (const Note& note : internal::notes()) {
    Leak leak = describe(note);
    const auto known = std::ranges::find_if(found, [&](const Leak& old) { return is_same_place(old, leak); });
    if (known == found.end()) {
      found.push_back(std::move(leak));
    } else {
      known->times += leak.times;
    }
  }
  return found;
}

std::string to_string(const Leak& leak) {
  const bool is_named_enough = leak.through.empty() || leak.function.starts_with("std::");
  std::string text = is_named_enough ? with_parentheses(leak.function) : leak.through + " (" + leak.function + ")";
  text += " was called inside a world by ";
  text += leak.caller.empty() ? "an unknown function" : leak.caller;
  text += " at " + place_of(leak);
  if (leak.times > 1) text += ", " + std::to_string(leak.times) + " times";
  text += "; ";
  text += remedy(leak.kind);
  return text;
}

}  // namespace pipette::guard
