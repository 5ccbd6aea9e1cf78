// Numbers as digits, the way HTTP writes them: no sign, no space, no locale.
//
//   char room[kMaxDigits];   char* const end = write_decimal(room, 1256);       "1256"
//                            char* const end = write_hex(room, 4096);           "1000", in lower case
//
// Eight digits are made at a time, in one word.
//
// Lifetime  `at` has kMaxDigits octets of room, all of which may be touched.   Threads  pure functions, any thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace pipette {

inline constexpr std::size_t kMaxDigits = 20;  // of 64 bits, in decimal

namespace internal {

inline constexpr std::uint64_t kZeroDigits = 0x3030303030303030;

// Writes the octets of `digits`, the lowest first.
inline void store_digits(char* at, std::uint64_t digits) {
  if constexpr (std::endian::native == std::endian::big) digits = __builtin_bswap64(digits);
  std::memcpy(at, &digits, sizeof digits);
}

// The eight decimal digits of `value`, below 10^8: one an octet, the most significant in the lowest. Halves, then
// quarters, then digits are split in all lanes at once; the multiplications are divisions by 100 and by 10.
inline std::uint64_t split_decimal(std::uint64_t value) {
  const std::uint64_t fours = value / 10'000 | value % 10'000 << 32;
  const std::uint64_t hundreds = (fours * 10'486 >> 20) & 0x0000007f0000007f;
  const std::uint64_t twos = (fours - hundreds * 100) << 16 | hundreds;
  const std::uint64_t tens = (twos * 103 >> 10) & 0x000f000f000f000f;
  return (twos - tens * 10) << 8 | tens;
}

// The eight hex digits of `value`, below 2^32, in the same order.
inline std::uint64_t split_hex(std::uint64_t value) {
  value = (value << 16 | value) & 0x0000ffff0000ffff;
  value = (value << 8 | value) & 0x00ff00ff00ff00ff;
  value = (value << 4 | value) & 0x0f0f0f0f0f0f0f0f;
  const std::uint64_t letters = (value + 0x0606060606060606) >> 4 & 0x0101010101010101;
  return __builtin_bswap64(value + kZeroDigits + letters * ('a' - '0' - 10));
}

// Without its leading zeros, but for the last digit.
inline char* store_significant(char* at, std::uint64_t digits) {
  const int zeros = std::min(std::countr_zero(digits) / 8, 7);
  store_digits(at, (digits | kZeroDigits) >> (8 * zeros));
  return at + (8 - zeros);
}

}  // namespace internal

// Each returns the end of what it wrote.
inline char* write_decimal(char* at, std::uint64_t value) {
  constexpr std::uint64_t kEightDigits = 100'000'000;
  if (value < 100) {  // quicker one by one
    const std::uint64_t tens = value / 10;
    if (tens > 0) *at++ = static_cast<char>('0' + tens);
    *at++ = static_cast<char>('0' + value % 10);
    return at;
  }
  if (value < kEightDigits) return internal::store_significant(at, internal::split_decimal(value));
  at = write_decimal(at, value / kEightDigits);
  internal::store_digits(at, internal::split_decimal(value % kEightDigits) | internal::kZeroDigits);
  return at + 8;
}

inline char* write_hex(char* at, std::uint64_t value) {
  if (value >> 32 == 0) {
    const int zeros = std::min(std::countl_zero(value | 1) / 4, 15) - 8;
    internal::store_digits(at, internal::split_hex(value) >> (8 * zeros));
    return at + (8 - zeros);
  }
  at = write_hex(at, value >> 32);
  internal::store_digits(at, internal::split_hex(value & 0xffffffff));
  return at + 8;
}

inline void append_decimal(std::string& out, std::uint64_t value) {
  const std::size_t before = out.size();
  if (value < 100'000'000 && out.capacity() - before >= 8) {  // most: they are written where they belong
    out.resize_and_overwrite(before + 8, [&](char* begin, std::size_t) {
      return static_cast<std::size_t>(write_decimal(begin + before, value) - begin);
    });
    return;
  }
  char room[kMaxDigits];
  out.append(room, static_cast<std::size_t>(write_decimal(room, value) - room));
}

inline void append_hex(std::string& out, std::uint64_t value) {
  char room[kMaxDigits];
  out.append(room, static_cast<std::size_t>(write_hex(room, value) - room));
}

}  // namespace pipette
