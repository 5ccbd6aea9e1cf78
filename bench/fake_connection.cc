#include "bench/fake_connection.h"

#include <new>
#include <vector>

namespace pipette::bench {
namespace {

// The peers use their connection objects again; so do we.
std::vector<void*>& free_sources() {
  static std::vector<void*> sources;
  return sources;
}

}  // namespace

RequestSource::RequestSource(FakeListener& listener, std::size_t requests)
    : listener_(listener), left_(requests * listener.request_bytes()) {}

RequestSource::~RequestSource() { listener_.give_back(); }

Result<std::size_t> RequestSource::try_read(MutableBytes into) {
  const std::string_view requests = listener_.requests();
  std::size_t filled = 0;
  while (filled < into.size() && left_ > 0) {
    const std::size_t count = std::min({into.size() - filled, requests.size() - at_, left_});
    std::memcpy(into.data() + filled, requests.data() + at_, count);
    filled += count;
    left_ -= count;
    at_ = at_ + count == requests.size() ? 0 : at_ + count;
  }
  return filled;
}

void* RequestSource::operator new(std::size_t size) {
  std::vector<void*>& free = free_sources();
  if (free.empty()) return ::operator new(size);
  void* memory = free.back();
  free.pop_back();
  return memory;
}

void RequestSource::operator delete(void* memory) { free_sources().push_back(memory); }

}  // namespace pipette::bench
