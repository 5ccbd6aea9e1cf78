// Finds the delimiter of a multipart body in octets that arrive in any pieces.
//
//   next(octets) --> { consumed, data, is_found }      data: what was consumed and is known to be no delimiter
//
// All input is consumed, a delimiter that may be beginning at its end included: its octets are known, so that when it
// turns out to be none, `data` is a view of the boundary's own. The one CR of a delimiter is its first octet, so what
// has matched never has to be searched again: linear, whatever is sent.
//
// Lifetime  `data` borrows from the input, or from this object until the next call.
#pragma once

#include <cstddef>

#include "pipette/base/bytes.h"
#include "pipette/http/multipart.h"

namespace pipette::http::internal {

class DelimiterSearch {
 public:
  struct Step {
    std::size_t consumed = 0;
    Bytes data = {};
    bool is_found = false;
  };

  explicit DelimiterSearch(const Boundary& boundary) : boundary_(boundary) {}

  // At the start of a body, and of a part's content, behind an empty line: the line break that begins a delimiter is
  // there already (RFC 2046 §5.1.1).
  void begin_at_line() { matched_ = unsent_ = 2; }
  Step next(Bytes input);

  const Boundary& boundary() const { return boundary_; }

 private:
  Step resume(Bytes input);
  Step search(Bytes input);

  Boundary boundary_;
  std::size_t matched_ = 2;  // octets of a delimiter that have gone by
  std::size_t unsent_ = 2;   // those of them that were none of this input's
};

}  // namespace pipette::http::internal
