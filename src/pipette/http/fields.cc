#include "pipette/http/fields.h"

#include <utility>

#include "pipette/base/ascii.h"

namespace pipette::http {

std::optional<std::string_view> Fields::get(std::string_view name) const {
  if (const FieldName id = intern(name); id != FieldName::other) return get(id);
  for (const Entry& entry : entries_) {
    const Field found = field(entry);
    if (ascii::equal_ignoring_case(found.name, name)) return found.value;
  }
  return std::nullopt;
}

std::size_t Fields::count(FieldName name) const {
  std::size_t count = 0;
  for_each(name, [&](std::string_view) { ++count; });
  return count;
}

OwnedFields& OwnedFields::operator=(const OwnedFields& other) {
  text_ = other.text_;
  fields_ = other.fields_;
  fields_.rebase(text_.data());
  return *this;
}

OwnedFields& OwnedFields::operator=(OwnedFields&& other) noexcept {
  text_ = std::move(other.text_);
  fields_ = std::move(other.fields_);
  fields_.rebase(text_.data());
  other.clear();
  return *this;
}

Result<void> OwnedFields::set(std::string_view name, std::string_view value) {
  if (!ascii::is_token(name)) return fail(Errc::bad_field_name);
  if (!ascii::is_value(value)) return fail(Errc::bad_field_value);
  remove(name);
  append(intern(name), name, ascii::trim(value));
  return {};
}

Result<void> OwnedFields::add(std::string_view name, std::string_view value) {
  if (!ascii::is_token(name)) return fail(Errc::bad_field_name);
  if (!ascii::is_value(value)) return fail(Errc::bad_field_value);
  append(intern(name), name, ascii::trim(value));
  return {};
}

void OwnedFields::remove(std::string_view name) {
  if (!fields_.get(name)) return;
  const std::vector<Fields::Entry> old = std::exchange(fields_.entries_, {});
  fields_.first_.fill(0);
  for (const Fields::Entry& entry : old) {
    if (ascii::equal_ignoring_case(fields_.field(entry).name, name)) continue;
    fields_.append(entry.name, entry.name_at, entry.name_size, entry.value_at, entry.value_size);
  }
}

void OwnedFields::assign(const Fields& fields, Bytes octets) {
  text_ = octets;
  fields_ = fields;
  fields_.rebase(text_.data());
}

void OwnedFields::append(FieldName id, std::string_view name, std::string_view value) {
  const std::size_t name_at = text_.size();
  text_ += name;
  const std::size_t value_at = text_.size();
  text_ += value;
  fields_.append(id, name_at, name.size(), value_at, value.size());
  fields_.rebase(text_.data());
}

}  // namespace pipette::http
