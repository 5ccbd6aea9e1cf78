// Args: the pairs of a query or of a form, in order, decoded; with their octets.
//
//   Args args;
//   args.parse("a=1&b=x+y&a=2&flag")           a: 1, 2 · b: "x y" · flag, which has no value
//   args.get("b"); args.get_uint("a");
//   args.set("b", "&"); args.write(out)    --> a=1&b=%26&a=2&flag
//
// A name may stand there more than once, with and without a value ("a" is not "a="). Pairs are split at "&" only; an
// empty one is dropped; names and values are decoded as forms are (percent.h), so that every text can be parsed, and
// what write() writes is parsed as the same again.
//
// Spec      application/x-www-form-urlencoded, URL standard §5.
// Errors    too_many_args for a text with more pairs than allowed: nothing of it is kept. bad_number for a value that
//           is not what was asked for, or a name that is not there.
// Lifetime  views are good until the args are changed or moved. Reused, it allocates nothing.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/base/result.h"

namespace pipette::http {

inline constexpr std::size_t kMaxArgs = 1024;

struct Arg {
  std::string_view name;
  std::string_view value;
  bool has_value = true;  // false: a flag, without "="

  bool operator==(const Arg&) const = default;
};

class Args {
 public:
  class Iterator;

  // `max_args` is for parse(): what the application adds itself is not counted.
  explicit Args(std::size_t max_args = kMaxArgs) : max_args_(max_args) {}
  Args(const Args&) = default;
  Args& operator=(const Args&) = default;
  Args(Args&& other) noexcept { *this = std::move(other); }
  Args& operator=(Args&& other) noexcept;  // leaves the other empty

  // Replaces all by the pairs of `text`, which has no "?" in front.
  Result<void> parse(std::string_view text);
  // Appends the pairs, encoded, to `out`. A flag is written without "=".
  void write(std::string& out) const;

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  Arg operator[](std::size_t index) const { return arg(entries_[index]); }
  Iterator begin() const;
  Iterator end() const;

  // The first value of that name; "" for a flag.
  std::optional<std::string_view> get(std::string_view name) const;
  std::vector<std::string_view> get_all(std::string_view name) const;
  bool has(std::string_view name) const { return find(name, 0) != entries_.size(); }

  // The first value of that name, as a number: decimal, all of it, in range; no "+", no spaces.
  Result<std::uint64_t> get_uint(std::string_view name) const;
  Result<std::int64_t> get_int(std::string_view name) const;
  Result<double> get_double(std::string_view name) const;  // finite
  // true: 1 t T true TRUE True y Y yes YES Yes; false: 0 f F false FALSE False n N no NO No.
  Result<bool> get_bool(std::string_view name) const;

  // Replaces the first of that name, where it stands, and removes the others; adds it when there is none.
  void set(std::string_view name, std::string_view value) { replace(name, value, true); }
  void set_flag(std::string_view name) { replace(name, {}, false); }
  // A whole number, or a finite one; bad_number for another.
  template <std::integral Number>
  void set_number(std::string_view name, Number value) {
    if constexpr (std::signed_integral<Number>) {
      set_int(name, value);
    } else {
      set_uint(name, value);
    }
  }
  Result<void> set_number(std::string_view name, double value);

  // Adds one more. A flag without a name could not be written, and is not added.
  void add(std::string_view name, std::string_view value) { append(name, value, true); }
  void add_flag(std::string_view name) { append(name, {}, false); }
  // Every one of that name.
  void remove(std::string_view name);
  // Keeps its memory.
  void clear();

  // By the octets of name and value, and of the name alone. Equals stay in order.
  void sort();
  void sort_by_name();

  // The same pairs in the same order.
  friend bool operator==(const Args& a, const Args& b);

 private:
  struct Entry {
    std::size_t name_at = 0;
    std::size_t name_size = 0;
    std::size_t value_at = 0;
    std::size_t value_size = 0;
    std::uint32_t rank = 0;  // where it stood before it was sorted
    bool has_value = false;
  };

  std::string_view name(const Entry& entry) const { return {text_.data() + entry.name_at, entry.name_size}; }
  std::string_view value(const Entry& entry) const { return {text_.data() + entry.value_at, entry.value_size}; }
  Arg arg(const Entry& entry) const { return {name(entry), value(entry), entry.has_value}; }

  std::size_t find(std::string_view name, std::size_t from) const;
  void replace(std::string_view name, std::string_view value, bool has_value);
  void append(std::string_view name, std::string_view value, bool has_value);
  void set_uint(std::string_view name, std::uint64_t value);
  void set_int(std::string_view name, std::int64_t value);
  std::size_t append_text(std::string_view name, std::string_view value);
  void remove_from(std::string_view name, std::size_t from);
  template <class Compare>
  void sort_stably(Compare&& compare);
  void compact();

  std::size_t max_args_ = kMaxArgs;
  std::string text_;  // what the entries point into, and what earlier ones pointed into
  std::size_t dead_bytes_ = 0;
  std::vector<Entry> entries_;
};

class Args::Iterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = Arg;

  Iterator() = default;
  Iterator(const Args* args, std::size_t index) : args_(args), index_(index) {}

  Arg operator*() const { return (*args_)[index_]; }
  Iterator& operator++() {
    ++index_;
    return *this;
  }
  Iterator operator++(int) { return {args_, index_++}; }
  bool operator==(const Iterator&) const = default;

 private:
  const Args* args_ = nullptr;
  std::size_t index_ = 0;
};

inline Args::Iterator Args::begin() const { return {this, 0}; }
inline Args::Iterator Args::end() const { return {this, size()}; }

// What Args would get() of `name` in `query`, however many pairs it has, without the other pairs.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace pipette::http
