#include "pipette/http/fields.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/base/assign.h"

namespace pipette::http {
namespace {

constexpr std::size_t kMaxNameBytes = UINT16_MAX;  // what an entry can say
constexpr std::size_t kMaxTextBytes = UINT32_MAX;  // the same
constexpr std::size_t kMinDeadBytes = 256;         // fewer are not worth a move
constexpr std::size_t kLineBytes = 4;              // of a line beside name and value: ": " and CRLF

}  // namespace

Fields& Fields::operator=(const Fields& other) {
  if (this == &other) return *this;
  ++revision_;
  size_ = 0;
  reserve(other.size_);
  size_ = other.size_;
  base_ = other.base_;
  std::copy_n(other.entries_.get(), other.size_, entries_.get());
  repeated_ = other.repeated_;
  first_ = other.first_;
  return *this;
}

Fields& Fields::operator=(Fields&& other) noexcept {
  if (this == &other) return *this;
  ++revision_;
  base_ = other.base_;
  size_ = other.size_;
  capacity_ = std::exchange(other.capacity_, 0);
  repeated_ = other.repeated_;
  first_ = other.first_;
  other.clear();  // by the entries, which are still there
  entries_ = std::move(other.entries_);
  return *this;
}

std::optional<std::string_view> Fields::get(std::string_view name) const {
  if (const FieldName id = intern(name); id != FieldName::other) return get(id);
  const std::size_t first = first_[static_cast<std::size_t>(FieldName::other)];
  if (first == 0) return std::nullopt;
  const Entry* const end = entries_.get() + size_;
  for (const Entry* entry = entries_.get() + first - 1; entry != end; ++entry) {
    if (entry->name_size != name.size() || entry->name != FieldName::other) continue;
    if (ascii::equal_ignoring_case(field(*entry).name, name)) return value(*entry);
  }
  return std::nullopt;
}

void Fields::reserve(std::size_t more) {
  if (capacity_ - size_ >= more) return;
  const std::size_t capacity = std::max({size_ + more, capacity_ * 2, std::size_t{16}});
  auto larger = std::make_unique_for_overwrite<Entry[]>(capacity);
  std::copy_n(entries_.get(), size_, larger.get());
  entries_ = std::move(larger);
  capacity_ = capacity;
}

OwnedFields& OwnedFields::operator=(const OwnedFields& other) {
  text_ = other.text_;
  dead_bytes_ = other.dead_bytes_;
  is_lines_ = other.is_lines_;
  fields_ = other.fields_;
  fields_.rebase(text_.data());
  return *this;
}

OwnedFields& OwnedFields::operator=(OwnedFields&& other) noexcept {
  if (this == &other) return *this;
  text_ = std::move(other.text_);
  dead_bytes_ = other.dead_bytes_;
  is_lines_ = other.is_lines_;
  fields_ = std::move(other.fields_);
  fields_.rebase(text_.data());
  other.clear();
  return *this;
}

Result<void> OwnedFields::check(std::string_view name, std::string_view value) const {
  if (!ascii::is_token(name)) return fail(Errc::bad_field_name);
  if (!ascii::is_value(value)) return fail(Errc::bad_field_value);
  if (name.size() > kMaxNameBytes) return fail(Errc::field_too_large);
  const std::size_t live_bytes = text_.size() - dead_bytes_;
  // Twice: what is dead is let go only when it is more than what lives.
  if (value.size() > kMaxTextBytes / 4 || live_bytes > kMaxTextBytes / 4) return fail(Errc::head_too_large);
  return {};
}

Result<void> OwnedFields::set(std::string_view name, std::string_view value) {
  if (const Result<void> checked = check(name, value); !checked) return checked;
  if (fields_.size() == kMaxFields && !contains(name)) return fail(Errc::too_many_fields);
  take_out(name);
  append(name, ascii::trim(value));
  compact();
  return {};
}

Result<void> OwnedFields::add(std::string_view name, std::string_view value) {
  if (const Result<void> checked = check(name, value); !checked) return checked;
  if (fields_.size() == kMaxFields) return fail(Errc::too_many_fields);
  append(name, ascii::trim(value));
  return {};
}

Result<void> OwnedFields::add_once(std::string_view name, std::string_view value) {
  bool is_there = false;
  for_each(name, [&](std::string_view other) { is_there |= other == ascii::trim(value); });
  return is_there ? Result<void>() : add(name, value);
}

Result<void> OwnedFields::set_default(std::string_view name, std::string_view value) {
  return contains(name) ? Result<void>() : add(name, value);
}

void OwnedFields::remove(std::string_view name) {
  take_out(name);
  compact();
}

// The others move up in place. The octets stay: `name`, and a value that is about to be set, may be among them.
void OwnedFields::take_out(std::string_view name) {
  if (!contains(name)) return;
  const std::size_t size = fields_.size();
  const Fields::Entry* const entries = fields_.entries_.get();
  fields_.clear();
  for (std::size_t i = 0; i < size; ++i) {
    const Fields::Entry entry = entries[i];
    if (ascii::equal_ignoring_case(fields_.field(entry).name, name)) {
      dead_bytes_ += entry.name_size + entry.value_size + kLineBytes;
    } else {
      fields_.append(entry.name, entry.name_at, entry.name_size, entry.value_at, entry.value_size);
    }
  }
}

void OwnedFields::assign(const Fields& fields, Bytes octets) {
  pipette::assign(text_, octets);
  is_lines_ = false;
  dead_bytes_ = 0;
  fields_ = fields;
  // Offsets count from the base of `fields`, which need not be where `octets` begin (head_parser.cc, repeats_last).
  const auto shift = static_cast<std::uint32_t>(fields.base_ - octets.data());
  for (std::size_t i = 0; i < fields_.size_; ++i) {
    fields_.entries_[i].name_at += shift;
    fields_.entries_[i].value_at += shift;
  }
  fields_.rebase(text_.data());
}

void OwnedFields::append(std::string_view name, std::string_view value) {
  const FieldName id = intern(name);
  const std::size_t name_at = text_.size();
  const std::size_t size = name_at + name.size() + value.size() + kLineBytes;
  const auto append_line = [&](std::string& text) { text.append(name).append(": ").append(value).append("\r\n"); };
  if (size > text_.capacity()) {
    std::string larger;  // beside the old text, into which `name` and `value` may point
    larger.reserve(std::max(size, 2 * text_.capacity()));
    larger.append(text_);
    append_line(larger);
    text_ = std::move(larger);
  } else {
    append_line(text_);
  }
  fields_.append(id, name_at, name.size(), name_at + name.size() + 2, value.size());
  fields_.rebase(text_.data());
}

// Lets go of the octets of fields that are gone, once they are the greater part. What lives moves down, in order: its
// octets stand in the order of the fields.
void OwnedFields::compact() {
  if (dead_bytes_ < kMinDeadBytes || dead_bytes_ <= text_.size() / 2) return;
  if (!is_lines_) return make_lines();
  char* const base = text_.data();
  std::size_t at = 0;
  for (std::size_t i = 0; i < fields_.size_; ++i) {
    Fields::Entry& entry = fields_.entries_[i];
    const std::size_t size = entry.name_size + entry.value_size + kLineBytes;
    std::memmove(base + at, base + entry.name_at, size);
    entry.name_at = static_cast<std::uint32_t>(at);
    entry.value_at = static_cast<std::uint32_t>(at + entry.name_size + 2);
    at += size;
  }
  text_.resize(at);
  dead_bytes_ = 0;
}

// The same for octets that were assigned, which other things than lines may stand between.
void OwnedFields::make_lines() {
  OwnedFields other;
  for (std::size_t i = 0; i < size(); ++i) other.append(fields_[i].name, fields_[i].value);
  *this = std::move(other);
}

}  // namespace pipette::http
