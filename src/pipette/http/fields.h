// Fields: the field lines of a head, in order, over octets that somebody else owns. OwnedFields: the same,
// with the octets.
//
//   head.fields.get(FieldName::host)         // an index
//   head.fields.get("X-Api-Key")             // a search, in any case
//
// Entries are offsets from one base, so a head survives the move of the buffer it stands in (rebase()).
// Order, duplicates and spelling are kept.
//
// Errors    OwnedFields refuses a name that is no token (Errc::bad_field_name) and a value with CR, LF, NUL or
//           another control character (Errc::bad_field_value), RFC 9110 §5.5, and a name over 65535 octets
//           (Errc::field_too_large); nothing is altered silently.
// Lifetime  views are good while the base's octets stand still, or until an OwnedFields is changed or moved. A copy has
//           octets of its own; what was moved from is empty. An OwnedFields that is changed again and again has at most
//           twice the octets of what is in it, and some.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/http/field_name.h"

namespace pipette::http {

// As many as an index has room for.
inline constexpr std::size_t kMaxFields = 65535;

struct Field {
  std::string_view name;
  std::string_view value;
};

class Fields {
 public:
  Fields() = default;
  Fields(const Fields& other) { *this = other; }
  Fields& operator=(const Fields& other);
  Fields(Fields&& other) noexcept { *this = std::move(other); }
  Fields& operator=(Fields&& other) noexcept;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Field operator[](std::size_t index) const { return field(entries_[index]); }
  FieldName name(std::size_t index) const { return entries_[index].name; }

  // The first value of that name, which is an interned one.
  std::optional<std::string_view> get(FieldName name) const {
    const std::uint16_t first = first_[static_cast<std::size_t>(name)];
    if (first == 0) return std::nullopt;
    return value(entries_[first - 1U]);
  }
  std::optional<std::string_view> get(std::string_view name) const;
  bool contains(FieldName name) const { return first_[static_cast<std::size_t>(name)] != 0; }
  // Whether that name, which must be an interned one, stands there more than once.
  bool is_repeated(FieldName name) const { return (repeated_ >> static_cast<unsigned>(name) & 1) != 0; }

  // Calls f(value) for each field of that name, in order.
  template <class F>
  void for_each(FieldName name, F&& f) const {
    for (std::size_t i = 0; i < size_; ++i) {
      if (entries_[i].name == name) f(value(entries_[i]));
    }
  }

  // For parsers. The octets are at `base`, now or after rebase().
  struct Entry {
    std::uint32_t name_at;
    std::uint32_t value_at;
    std::uint32_t value_size;
    std::uint16_t name_size;
    FieldName name;
  };
  // What a parser appends to without a call for each.
  struct Table {
    Entry* entries;
    std::size_t size;
    std::size_t room;      // entries there may be without growing
    std::uint16_t* first;  // 1 + index of the first of each name; 0: none
    std::uint64_t repeated;
  };
  Table open() { return {entries_.get(), size_, capacity_, first_.data(), repeated_}; }
  void close(const Table& table) {
    size_ = table.size;
    repeated_ = table.repeated;
  }
  void clear() {
    ++revision_;
    // Cheaper than all of first_, mostly.
    for (std::size_t i = 0; i < size_; ++i) first_[static_cast<std::size_t>(entries_[i].name)] = 0;
    size_ = 0;
    repeated_ = 0;
  }
  void append(FieldName name, std::size_t name_at, std::size_t name_size, std::size_t value_at,
              std::size_t value_size) {
    if (size_ == capacity_) reserve(1);
    entries_[size_++] = {static_cast<std::uint32_t>(name_at), static_cast<std::uint32_t>(value_at),
                         static_cast<std::uint32_t>(value_size), static_cast<std::uint16_t>(name_size), name};
    std::uint16_t& first = first_[static_cast<std::size_t>(name)];
    if (first == 0) {
      first = static_cast<std::uint16_t>(size_);
    } else {
      repeated_ |= std::uint64_t{1} << static_cast<unsigned>(name);
    }
  }
  // Gives the value of a field another size.
  void resize_value(std::size_t index, std::size_t value_size) {
    entries_[index].value_size = static_cast<std::uint32_t>(value_size);
  }
  // Room for `more` fields behind those that are there.
  void reserve(std::size_t more);
  // Changes whenever the fields are cleared or assigned.
  std::uint64_t revision() const { return revision_; }
  void rebase(const char* base) { base_ = base; }

 private:
  friend class OwnedFields;

  std::string_view value(const Entry& entry) const { return {base_ + entry.value_at, entry.value_size}; }
  Field field(const Entry& entry) const { return {{base_ + entry.name_at, entry.name_size}, value(entry)}; }

  const char* base_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t revision_ = 0;
  std::size_t capacity_ = 0;
  std::unique_ptr<Entry[]> entries_;
  std::uint64_t repeated_ = 0;                          // a bit a FieldName
  std::array<std::uint16_t, kFieldNameCount> first_{};  // 1 + index of the first of that name; 0: none
};

static_assert(kFieldNameCount <= 64, "Fields::repeated_ has a bit for each");

// Calls f(value) for each field of that name, in order.
template <class F>
void for_each(const Fields& fields, std::string_view name, F&& f) {
  if (const FieldName id = intern(name); id != FieldName::other) return fields.for_each(id, f);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field field = fields[i];
    if (ascii::equal_ignoring_case(field.name, name)) f(field.value);
  }
}

class OwnedFields {
 public:
  OwnedFields() = default;
  OwnedFields(const OwnedFields& other) { *this = other; }
  OwnedFields& operator=(const OwnedFields& other);
  OwnedFields(OwnedFields&& other) noexcept { *this = std::move(other); }
  OwnedFields& operator=(OwnedFields&& other) noexcept;

  const Fields& view() const { return fields_; }
  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  Field operator[](std::size_t index) const { return fields_[index]; }
  std::optional<std::string_view> get(FieldName name) const { return fields_.get(name); }
  std::optional<std::string_view> get(std::string_view name) const { return fields_.get(name); }
  bool contains(FieldName name) const { return fields_.contains(name); }
  bool contains(std::string_view name) const { return fields_.get(name).has_value(); }
  template <class F>
  void for_each(std::string_view name, F&& f) const {
    http::for_each(fields_, name, f);
  }
  // All of it as field lines, in order, where it stands so already; empty where it does not.
  Bytes lines() const { return is_lines_ && dead_bytes_ == 0 ? Bytes(text_) : Bytes(); }

  // Replaces every field of that name, by one behind all others.
  Result<void> set(std::string_view name, std::string_view value);
  // Adds one more.
  Result<void> add(std::string_view name, std::string_view value);
  // Adds one more, unless one of that name has this value already.
  Result<void> add_once(std::string_view name, std::string_view value);
  // Sets it, unless there is one of that name.
  Result<void> set_default(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  // Keeps its memory.
  void clear() {
    if (text_.empty() && is_lines_) return;
    text_.clear();
    dead_bytes_ = 0;
    is_lines_ = true;
    fields_.clear();
  }
  // A copy of `fields`, whose octets are in `octets`.
  void assign(const Fields& fields, Bytes octets);

 private:
  Result<void> check(std::string_view name, std::string_view value) const;
  void take_out(std::string_view name);
  void append(std::string_view name, std::string_view value);
  void compact();
  void make_lines();

  std::string text_;            // one line a field, "name: value" CRLF; or what was assigned
  bool is_lines_ = true;        // which of the two
  std::size_t dead_bytes_ = 0;  // of text_: the lines of fields that are gone
  Fields fields_;
};

}  // namespace pipette::http
