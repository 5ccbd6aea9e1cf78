#include "pipette/tls/internal/session_store.h"

#include <algorithm>
#include <utility>

namespace pipette::tls {
namespace {

constexpr std::size_t kSessionsOfAServer = 4;

bool is_for_one_use(const SSL_SESSION* session) { return SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION; }

}  // namespace

void SessionStore::put(const std::string& server, OwnedSession session, std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (max_servers_ == 0 || epoch != epoch_) return;
  if (!servers_.contains(server) && servers_.size() >= max_servers_) {
    const auto oldest = std::ranges::min_element(
        servers_, {}, [](const auto& name_and_server) { return name_and_server.second.heard_of; });
    servers_.erase(oldest);
  }
  Server& known = servers_[server];
  known.heard_of = ++puts_;
  if (known.sessions.size() >= kSessionsOfAServer) known.sessions.erase(known.sessions.begin());
  known.sessions.push_back(std::move(session));
}

OwnedSession SessionStore::take(const std::string& server) {
  const std::lock_guard lock(mutex_);
  const auto found = servers_.find(server);
  if (found == servers_.end()) return nullptr;
  std::vector<OwnedSession>& sessions = found->second.sessions;
  while (!sessions.empty()) {
    OwnedSession& last = sessions.back();
    if (SSL_SESSION_is_resumable(last.get()) == 1 && !is_for_one_use(last.get())) {
      SSL_SESSION_up_ref(last.get());
      return OwnedSession(last.get());
    }
    OwnedSession session = std::move(last);
    sessions.pop_back();
    if (SSL_SESSION_is_resumable(session.get()) == 1) return session;
  }
  servers_.erase(found);
  return nullptr;
}

void SessionStore::begin_epoch(std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  servers_.clear();
  epoch_ = epoch;
}

std::uint64_t SessionStore::epoch() const {
  const std::lock_guard lock(mutex_);
  return epoch_;
}

}  // namespace pipette::tls
