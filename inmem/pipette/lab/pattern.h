// Pattern: what octets must look like, where not each of them is known.
//
//   HTTP/1.1 200 OK\r\n*Date: {date}\r\n*\r\n\r\nHello
//
//   *        any run of octets, also none, and as short as what follows allows
//   {name}   a run within one line, without CR and LF; it is kept under its name
//   \* \{ \\ the octet itself
//
// Anything else stands for itself. A pattern describes the beginning of a text: octets behind its end are not looked
// at, unless it ends with "*", which takes them all.
//
// Errors    the constructor throws std::invalid_argument: a hole that is not closed or has no name, or two runs with
//           nothing between them, which nobody could tell apart.
// Bounds    time is linear in the text; with a hole behind a "*", quadratic in its longest line at worst.
// Lifetime  a Match borrows from nothing.   Threads  immutable, any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/base/bytes.h"

namespace pipette::lab {

// What stood in the named holes.
class Holes {
 public:
  void add(std::string name, std::string octets) { all_.emplace_back(std::move(name), std::move(octets)); }
  // Throws std::out_of_range when the pattern has no such hole; the first of several.
  const std::string& operator[](std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

class Pattern {
 public:
  explicit Pattern(std::string_view text);

  enum class Outcome : unsigned char {
    matched,
    incomplete,  // so far as it goes; more octets may make a match of it
    different,   // whatever may follow
  };

  struct Match {
    Outcome outcome = Outcome::different;
    std::size_t size = 0;  // octets that fit: all of the match, or up to where it fails
    std::string wanted;    // what does not stand there, of a match that failed
    Holes holes;
  };
  Match match(Bytes text) const;

  const std::string& text() const { return text_; }

 private:
  enum class Run : unsigned char { none, any, within_line };

  // A literal and the run in front of it.
  struct Part {
    Run run = Run::none;
    std::string name;
    std::string literal;
  };
  struct Place {
    Outcome outcome = Outcome::different;
    std::size_t at = 0;  // of the literal
  };

  void add_run(Run run, std::string name);
  static Place find(const Part& part, Bytes text, std::size_t from);

  std::string text_;
  std::vector<Part> parts_;
};

// The literal that is wanted and what stands there, of a match of `text` that failed.
std::string describe_mismatch(const Pattern::Match& match, Bytes text);

}  // namespace pipette::lab
