-- For wrk: sixteen requests in one write.
init = function(arguments)
  request_octets = string.rep(wrk.format("GET", "/"), 16)
end

request = function()
  return request_octets
end
