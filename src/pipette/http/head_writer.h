// Writes heads into a buffer, without intermediate strings.
//
//   HeadWriter writer(out, room);  writer.put(status_line(200));  writer.field("Server", name);  writer.end();
//
// `room` is an upper bound of what will be put; it is reserved once, and the writer then only copies. What is
// put must be valid already: field names and values are checked where users set them (OwnedFields).
//
// Spec      RFC 9112 §2.1, §5.   Lifetime  one head; `out` outlives it and is touched by nobody else meanwhile.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>

#include "pipette/base/buffer.h"
#include "pipette/base/digits.h"
#include "pipette/http/fields.h"

namespace pipette::http {

inline constexpr std::size_t kMaxDecimalBytes = kMaxDigits;

class HeadWriter {
 public:
  HeadWriter(Buffer& out, std::size_t room) : out_(&out), at_(out.writable(room).data()) {}

  [[gnu::always_inline]] void put(std::string_view text) {
    assert(text.size() <= room());
    copy(at_, text);
    at_ += text.size();
  }
  template <std::size_t kSize>
  [[gnu::always_inline]] void put(const char (&literal)[kSize]) {
    assert(kSize - 1 <= room());
    std::memcpy(at_, literal, kSize - 1);
    at_ += kSize - 1;
  }
  [[gnu::always_inline]] void put_decimal(std::uint64_t value) {
    assert(kMaxDecimalBytes <= room());
    at_ = write_decimal(at_, value);
  }

  [[gnu::always_inline]] void field(std::string_view name, std::string_view value) {
    put(name);
    put(": ");
    put(value);
    put("\r\n");
  }
  template <std::size_t kSize>
  [[gnu::always_inline]] void field(const char (&name)[kSize], std::string_view value) {
    put(name);
    put(": ");
    put(value);
    put("\r\n");
  }
  [[gnu::always_inline]] void content_length(std::uint64_t size) {
    put("Content-Length: ");
    put_decimal(size);
    put("\r\n");
  }
  // The empty line, `body` behind it, and everything goes to the buffer.
  [[gnu::always_inline]] void end(std::string_view body = {}) {
    put("\r\n");
    put(body);
    out_->commit(static_cast<std::size_t>(at_ - out_->writable(0).data()));
  }

 private:
  struct Pair {
    std::uint64_t words[2];
  };

  // What is left, for the assertions.
  std::size_t room() const {
    const MutableBytes all = out_->writable(0);
    return static_cast<std::size_t>(all.data() + all.size() - at_);
  }

  // Most of what heads are made of is short: two overlapping words, and no call.
  [[gnu::always_inline]] static void copy(char* to, std::string_view text) {
    const std::size_t size = text.size();
    if (size > 32) {
      std::memcpy(to, text.data(), size);
    } else if (size >= 16) {
      copy_ends<Pair>(to, text);
    } else if (size >= 8) {
      copy_ends<std::uint64_t>(to, text);
    } else if (size >= 4) {
      copy_ends<std::uint32_t>(to, text);
    } else if (size > 0) {
      to[0] = text[0];
      to[size / 2] = text[size / 2];
      to[size - 1] = text[size - 1];
    }
  }
  template <class Word>
  static void copy_ends(char* to, std::string_view text) {
    Word first;
    Word last;
    std::memcpy(&first, text.data(), sizeof(Word));
    std::memcpy(&last, text.data() + text.size() - sizeof(Word), sizeof(Word));
    std::memcpy(to, &first, sizeof(Word));
    std::memcpy(to + text.size() - sizeof(Word), &last, sizeof(Word));
  }

  // Nothing else is kept, and nothing above is called: two words stay, and are passed, in registers.
  Buffer* out_;
  char* at_;
};

// Room for `fields` as field lines.
inline std::size_t written_size(const Fields& fields) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) size += fields[i].name.size() + fields[i].value.size() + 4;
  return size;
}

}  // namespace pipette::http
