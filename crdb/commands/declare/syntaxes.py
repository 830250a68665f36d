"""The arguments of every command that takes some, in the notation of `syntax`."""

from __future__ import annotations

from typing import Final

from crdb.commands.declare.syntax import Argument, parse

EXPIRY: Final = (
    "EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds"
)
WHEN: Final = "[NX | XX | GT | LT]"
COMBINED: Final = "numkeys key... [WEIGHTS weight...] [AGGREGATE <SUM | MIN | MAX>]"
RANGE: Final = "min:double max:double [WITHSCORES] [LIMIT offset count]"
SORTED: Final = (
    "key [BY pattern:key-pattern] [LIMIT offset count] [GET pattern:key-pattern]... [ASC | DESC] "
    "[ALPHA]"
)
BOUNDS: Final = "start:string stop:string [BYSCORE | BYLEX] [REV] [LIMIT offset count]"

LINES: Final = f"""
auth                    [username] password
bitcount                key [start end [BYTE | BIT]]
bitfield                key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding \
offset value:integer | INCRBY encoding offset increment>]...
bitfield_ro             key [GET encoding offset]...
bitop                   <AND | OR | XOR | NOT> destkey key...
bitpos                  key bit [start [end [BYTE | BIT]]]
client|kill             <address | <[ID client-id] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA \
| PUBSUB>] | [USER username] | [ADDR address] | [LADDR address] | [SKIPME <YES | NO>]>...>
client|caching          <YES | NO>
client|pause            timeout:integer [WRITE | ALL]
client|tracking         <ON | OFF> [REDIRECT client-id] [PREFIX prefix]... [BCAST] [OPTIN] \
                        [OPTOUT] [NOLOOP]
client|list             [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id...]
client|no-evict         <ON | OFF>
client|no-touch         <ON | OFF>
client|reply            <ON | OFF | SKIP>
client|setinfo          <LIB-NAME libname | LIB-VER libver>
client|setname          connection-name
client|unblock          client-id [TIMEOUT | ERROR]
command|docs            [command-name]...
command|getkeys         command [arg]...
command|getkeysandflags command [arg]...
command|info            [command-name]...
command|list            [FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]
config|get              parameter...
config|set              (parameter value)...
echo                    message
bgsave                  [SCHEDULE]
function|delete         library-name
function|flush          [ASYNC | SYNC]
function|list           [LIBRARYNAME library-name-pattern] [WITHCODE]
function|load           [REPLACE] function-code
function|restore        serialized-value [FLUSH | APPEND | REPLACE]
latency|graph           event
latency|histogram       [command]...
latency|history         event
latency|reset           [event]...
lolwut                  [VERSION version:integer]
memory|usage            key [SAMPLES count]
script|debug            <YES | SYNC | NO>
script|exists           sha1...
script|flush            [ASYNC | SYNC]
script|load             script
shutdown                [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]
slowlog|get             [count]
wait                    numreplicas:integer timeout:integer
waitaof                 numlocal:integer numreplicas:integer timeout:integer
hello                   [protover [AUTH username password] [SETNAME clientname]]
info                    [section]...
ping                    [message]
select                  index
crdb.await              vector milliseconds
crdb.clock|set          milliseconds
crdb.conflicts          key
crdb.follow             (host port)...
crdb.link|cut           <ALL | source:string sink>
crdb.link|heal          <ALL | source:string sink>
crdb.settle             milliseconds
replicaof               <host port | NO ONE>
slaveof                 <host port | NO ONE>

copy                    source destination [DB destination-db:integer] [REPLACE]
del                     key...
exists                  key...
expire                  key seconds {WHEN}
expireat                key unix-time-seconds {WHEN}
expiretime              key
flushall                [ASYNC | SYNC]
flushdb                 [ASYNC | SYNC]
keys                    pattern
object|encoding         key
object|freq             key
object|idletime         key
object|refcount         key
persist                 key
pexpire                 key milliseconds {WHEN}
pexpireat               key unix-time-milliseconds {WHEN}
pexpiretime             key
pttl                    key
rename                  key newkey
renamenx                key newkey
scan                    cursor [MATCH pattern] [COUNT count] [TYPE type]
sort                    {SORTED} [STORE destination]
sort_ro                 {SORTED}
touch                   key...
ttl                     key
type                    key
unlink                  key...
watch                   key...

append                  key value
decr                    key
decrby                  key decrement
get                     key
getbit                  key offset
getdel                  key
getex                   key [{EXPIRY} | PERSIST]
getrange                key start end
getset                  key value
incr                    key
incrby                  key increment
incrbyfloat             key increment:double
lcs                     key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]
mget                    key...
mset                    (key value)...
msetnx                  (key value)...
psetex                  key milliseconds value
set                     key value [NX | XX] [GET] [{EXPIRY} | KEEPTTL]
setbit                  key offset value:integer
setex                   key seconds value
setnx                   key value
setrange                key offset value
strlen                  key
substr                  key start end

hdel                    key field...
hexists                 key field
hget                    key field
hgetall                 key
hincrby                 key field increment
hincrbyfloat            key field increment:double
hkeys                   key
hlen                    key
hmget                   key field...
hmset                   key (field value)...
hrandfield              key [count [WITHVALUES]]
hscan                   key cursor [MATCH pattern] [COUNT count]
hset                    key (field value)...
hsetnx                  key field value
hstrlen                 key field
hvals                   key

sadd                    key member...
scard                   key
sdiff                   key...
sdiffstore              destination key...
sinter                  key...
sintercard              numkeys key... [LIMIT limit:integer]
sinterstore             destination key...
sismember               key member
smembers                key
smismember              key member...
smove                   source destination member
spop                    key [count]
srandmember             key [count]
srem                    key member...
sscan                   key cursor [MATCH pattern] [COUNT count]
sunion                  key...
sunionstore             destination key...

bzmpop                  timeout numkeys key... <MIN | MAX> [COUNT count]
bzpopmax                key... timeout
bzpopmin                key... timeout
zadd                    key [NX | XX] [GT | LT] [CH] [INCR] (score member)...
zcard                   key
zcount                  key min:double max:double
zdiff                   numkeys key... [WITHSCORES]
zdiffstore              destination numkeys key...
zincrby                 key increment member
zinter                  {COMBINED} [WITHSCORES]
zintercard              numkeys key... [LIMIT limit:integer]
zinterstore             destination {COMBINED}
zlexcount               key min max
zmpop                   numkeys key... <MIN | MAX> [COUNT count]
zmscore                 key member...
zpopmax                 key [count]
zpopmin                 key [count]
zrandmember             key [count [WITHSCORES]]
zrange                  key {BOUNDS} [WITHSCORES]
zrangebylex             key min max [LIMIT offset count]
zrangebyscore           key {RANGE}
zrangestore             destination source {BOUNDS}
zrank                   key member [WITHSCORE]
zrem                    key member...
zremrangebylex          key min max
zremrangebyrank         key start stop
zremrangebyscore        key min:double max:double
zrevrange               key start stop [WITHSCORES]
zrevrangebylex          key max min [LIMIT offset count]
zrevrangebyscore        key max:double min:double [WITHSCORES] [LIMIT offset count]
zrevrank                key member [WITHSCORE]
zscan                   key cursor [MATCH pattern] [COUNT count]
zscore                  key member
zunion                  {COMBINED} [WITHSCORES]
zunionstore             destination {COMBINED}

blmove                  source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout
blmpop                  timeout numkeys key... <LEFT | RIGHT> [COUNT count]
blpop                   key... timeout
brpop                   key... timeout
brpoplpush              source destination timeout
lindex                  key index
linsert                 key <BEFORE | AFTER> pivot element
llen                    key
lmove                   source destination <LEFT | RIGHT> <LEFT | RIGHT>
lmpop                   numkeys key... <LEFT | RIGHT> [COUNT count]
lpop                    key [count]
lpos                    key element [RANK rank] [COUNT num-matches] [MAXLEN maxlen]
lpush                   key element...
lpushx                  key element...
lrange                  key start stop
lrem                    key count element
lset                    key index element
ltrim                   key start stop
rpop                    key [count]
rpoplpush               source destination
rpush                   key element...
rpushx                  key element...
"""

SYNTAXES: Final[dict[str, str]] = {
    name: text.strip()
    for name, _, text in (line.partition(" ") for line in LINES.splitlines() if line)
}


def arguments_of(name: bytes) -> tuple[Argument, ...]:
    """The arguments of a command by its full name, as `config|get`."""
    return parse(SYNTAXES.get(name.decode(), ""))
