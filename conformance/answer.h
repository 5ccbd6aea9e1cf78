// What a server has said, taken apart.
//
//   read_answers(octets, methods, has_ended) --> answers in order, the interim ones too; and what is wrong with the
//   rest
//
// Not taken from the code under test, and no laxer: an answer that a client could misread is wrong here, such as one
// with both a Content-Length and a Transfer-Encoding. Each is framed by the method of the request that it answers; GET
// when `methods` has no more.
//
// Spec      RFC 9112 §4, §6.3, §7.1.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/http/method.h"

namespace pipette::conformance {

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string content;

  // 101 ends HTTP on its connection, so it is final.
  bool is_interim() const { return status < 200 && status != 101; }
  bool has(std::string_view name) const;
  // All lines of that name, joined by ", ".
  std::string value(std::string_view name) const;
  // Whether one element of that list is `option`, in any case.
  bool lists(std::string_view name, std::string_view option) const;
};

struct Answers {
  std::vector<Answer> whole;
  bool has_rest = false;  // octets behind them, which are not a whole answer yet
  std::string wrong;      // why they never will be one; "" otherwise
};

Answers read_answers(std::string_view octets, const std::vector<http::Method>& methods, bool has_ended);

}  // namespace pipette::conformance
