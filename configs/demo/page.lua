-- The demo's page: counts visits in redis, which is another cell.
local redis = require "nginx.redis"
local db = redis:new()
db:set_timeout(3000)

local ok, err = db:connect("10.88.0.3", 6379)
local visits
if ok then
	visits, err = db:incr("visits")
end
if not visits then
	ngx.status = ngx.HTTP_BAD_GATEWAY
	ngx.say("redis: ", err)
	return
end
db:set_keepalive(10000, 4)

ngx.say("<!doctype html><title>prior</title>")
ngx.say("<h1>It works</h1>")
ngx.say("<p>PID 1 is <b>prior</b>. nginx, in its own cell, was started by your first connection;")
ngx.say("the number comes from redis, in another cell, over a veth pair and a bridge.</p>")
ngx.say("<p>Visits: <b id=visits>", visits, "</b></p>")
