"""Commands on keys of any type, compared with a real server."""

from __future__ import annotations


def test_deleting_renaming_and_counting(twins):
    twins.script(
        """
        MSET a 1 b 2 c 3
        EXISTS a b x a
        TOUCH a x
        TYPE a
        TYPE x
        RENAME a d
        RENAME x y
        RENAME d d
        RENAMENX d b
        RENAMENX d e
        RENAMENX e e
        DBSIZE
        COPY e f
        COPY e f
        COPY e f REPLACE
        COPY e e
        COPY e f DB 1
        COPY e f DB 99
        COPY e f DB x
        COPY e f BOGUS
        MOVE e 1
        MOVE e 1
        MOVE f 0
        MOVE f 99
        MOVE f x
        SWAPDB 0 1
        SWAPDB 0 99
        SWAPDB x 1
        SWAPDB 0 x
        GET e
        SELECT 1
        GET b
        SELECT 99
        SELECT x
        FLUSHDB
        DBSIZE
        FLUSHALL ASYNC
        FLUSHALL SYNC
        FLUSHALL FOO
        DEL a b c
        UNLINK a b c
        RANDOMKEY
        OBJECT ENCODING x
        OBJECT REFCOUNT x
        OBJECT FREQ x
        OBJECT FOO x
        OBJECT
        """
    )


def test_the_expire_family(twins):
    twins.script(
        """
        SET k v
        TTL k
        PTTL k
        TTL x
        EXPIRE k 100
        TTL k
        EXPIRE k 50 GT
        EXPIRE k 50 LT
        EXPIRE k 500 NX
        EXPIRE k 500 XX
        EXPIRE k 400 XX GT
        EXPIRE k 500 NX GT
        EXPIRE k 500 GT LT
        EXPIRE k 500 FOO
        EXPIRE k x
        EXPIRE k 9223372036854775807
        EXPIRE k -9223372036854775808
        PEXPIRE k 9223372036854775807
        EXPIREAT k 99999999999
        EXPIRETIME k
        PEXPIRETIME k
        PEXPIREAT k 99999999999999
        PEXPIRETIME k
        PERSIST k
        PERSIST k
        PERSIST x
        EXPIRE k 10 GT
        EXPIRE k 10 LT
        EXPIRE k -1
        GET k
        EXPIRE k 10
        """
    )


def test_scan_and_keys(twins):
    for number in range(15):
        twins.same("SET", f"key:{number}", "v")
    twins.same_sorted("KEYS", "*")
    twins.same_sorted("KEYS", "key:[1-3]")
    twins.script(
        """
        KEYS nothing*
        SCAN x
        SCAN -1
        SCAN 0 COUNT 0
        SCAN 0 COUNT x
        SCAN 0 MATCH
        SCAN 0 FOO bar
        SCAN 18446744073709551616
        """
    )
    twins.same_sorted("SCAN", "0", "COUNT", "1000")
    twins.same_sorted("SCAN", "0", "COUNT", "1000", "MATCH", "*1*")
    twins.same_sorted("SCAN", "0", "COUNT", "1000", "TYPE", "string")
    twins.same_sorted("SCAN", "0", "COUNT", "1000", "TYPE", "list")
