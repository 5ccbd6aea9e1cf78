#include "pipette/app/inherited.h"

#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "pipette/app/internal/environment.h"
#include "pipette/tcp/listening.h"

namespace pipette::app {
namespace {

constexpr int kFirstDescriptor = 3;  // SD_LISTEN_FDS_START
constexpr int kMaxDescriptors = 4096;

bool is_taken(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFD);
  return flags < 0 || (flags & FD_CLOEXEC) != 0;
}

void add(std::vector<Inherited>& all, Inherited candidate) {
  if (is_taken(candidate.descriptor)) return;
  Result<net::Address> address = tcp::listens_at(candidate.descriptor);
  if (!address) return;
  candidate.address = std::move(*address);
  all.push_back(std::move(candidate));
}

void add_from_parent(std::vector<Inherited>& all) {
  if (number_in(variable(kListenParent)) != ::getppid()) return;
  Words words(variable(kListenDescriptors), ',');
  while (std::optional<std::string_view> word = words.next()) {
    const bool owns_path = word->ends_with('r');
    if (owns_path) word->remove_suffix(1);
    const std::optional<int> number = number_in(*word);
    if (number) add(all, {.descriptor = *number, .from = Inherited::From::parent, .owns_path = owns_path});
  }
}

void add_from_supervisor(std::vector<Inherited>& all) {
  if (number_in(variable("LISTEN_PID")) != ::getpid()) return;
  const std::optional<int> count = number_in(variable("LISTEN_FDS"));
  if (!count || *count > kMaxDescriptors) return;
  Words names(variable("LISTEN_FDNAMES"), ':');
  for (int i = 0; i < *count; ++i) {
    add(all, {.descriptor = kFirstDescriptor + i, .name = std::string(names.next().value_or(""))});
  }
}

bool matches(const net::Address& asked, const net::Address& given) {
  using Kind = net::Address::Kind;
  if (asked.kind() == Kind::unix_path || given.kind() == Kind::unix_path) return asked == given;
  if (asked.port() != 0 && asked.port() != given.port()) return false;
  return asked.kind() == Kind::name || asked.with_port(given.port()) == given;
}

}  // namespace

std::vector<Inherited> inherited_listeners() {
  std::vector<Inherited> all;
  add_from_parent(all);
  add_from_supervisor(all);
  return all;
}

std::vector<Inherited> take_matching(std::vector<Inherited>& given, const net::Address& asked) {
  std::vector<Inherited> taken;
  std::vector<Inherited> left;
  for (Inherited& each : given) (matches(asked, each.address) ? taken : left).push_back(std::move(each));
  given = std::move(left);
  return taken;
}

}  // namespace pipette::app
