// What the answers of a server are held against, a line each:
//
//   answer 200                    the next final answer. Statuses: 404, 4xx, served (what a handler says: 2xx, 3xx,
//   401, answer 400 or 501 or served   403, 404, 405), 100 (then the next answer may be that interim one), any answer
//   4xx or none            nothing may come at all answer any unless answered    not asked for when the one before was
//   final with Allow                    of the answer above: has that field with Connection "close"       and lists
//   that option without Content-Length same Content-Length           as the first answer, where both have it empty |
//   filled                whether there is content if 405 with Allow             a wish that holds for that status
//   alone no interim                    no 1xx has come up to here
//
// and how it ends, once, last of all:
//
//   open      the connection goes on: a request more gets one answer more
//   closed    the server ends it, and answers nothing more
//   either    one or the other
//   silent    the server waits, and says nothing
//
// Errors   take_expectation() explains in words what is wrong.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/answer.h"

namespace pipette::conformance {

enum class Ending { untold, open, closed, either, silent };

struct Wish {
  enum class Kind { with, without, same, empty, filled, no_interim };
  Kind kind = Kind::with;
  std::string name;
  std::string option;   // of `with`; "" for any
  int only_status = 0;  // 0: any
};

struct Expected {
  std::string text;  // the line itself
  std::vector<std::pair<int, int>> statuses;
  bool may_be_none = false;
  bool unless_answered = false;
  std::vector<Wish> wishes;

  bool takes(int status) const;
  bool takes_interim() const { return takes(100); }
};

// What a handler says, rather than a server that refuses.
bool is_served(int status);

// A part of a conversation: what is sent, then what must come of it.
struct Turn {
  std::string octets;
  bool then_end_of_stream = false;
  std::vector<Expected> expected;
  Ending ending = Ending::untold;  // of the last turn
};

// "" when the line has been understood.
std::string take_expectation(Turn& turn, std::string_view line);

// Holds answers against expectations, as far as they have come.
class Judge {
 public:
  // Goes on with the next turn.
  void expect(const Turn& turn);
  // Whether there is nothing left to wait for in this turn. `is_over`: no more will come.
  bool is_content(const Answers& so_far, bool is_over);
  // Whether the answer that is waited for may never come.
  bool may_be_none() const;
  // The statuses of final answers that nobody has asked for.
  std::vector<int> extra(const Answers& so_far) const;
  // What is not as expected; "" so far.
  const std::string& complaint() const { return complaint_; }

 private:
  void judge(const Expected& expected, const Answers& so_far, const Answer& answer);

  const Turn* turn_ = nullptr;
  std::size_t next_expected_ = 0;
  std::size_t next_answer_ = 0;
  bool was_final_ = false;  // the answer before
  std::string complaint_;
};

}  // namespace pipette::conformance
