// ReservedPort: a port of 127.0.0.1 that the system gives to nobody else.
//
//   bound, and not listened at ──> who connects is refused
//                              ──> a program that is told of it may listen there, if it asks for SO_REUSEADDR, as
//                                  servers do (Linux forbids that only for a port that somebody listens at)
//
// A port that was merely free a moment ago is another program's at times, when several of them start at once.
//
// Errors  the constructor throws std::system_error.   Threads  any.
#pragma once

#include <cstdint>

namespace pipette::interop {

class ReservedPort {
 public:
  ReservedPort();
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;
  ~ReservedPort();

  std::uint16_t number() const { return number_; }

 private:
  int fd_;
  std::uint16_t number_ = 0;
};

}  // namespace pipette::interop
