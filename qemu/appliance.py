"""The demo's image: prior, nginx and redis, and nothing else. Each service's root is made of just its own files."""
from lib import packages, paths
from lib.cell import Cell
from lib.image import BRIDGE, Image

CONFIG = paths.TOP / "configs/demo"

web = Cell(
    packages.section("cell-web"),
    programs=["/usr/sbin/nginx", "/usr/lib/nginx/modules/ndk_http_module.so",
              "/usr/lib/nginx/modules/ngx_http_lua_module.so"],
    folders=["/usr/share/lua/5.1"],
    files={"/etc/nginx/nginx.conf": CONFIG / "nginx.conf", "/etc/nginx/page.lua": CONFIG / "page.lua"},
)

db = Cell(
    packages.section("cell-db"),
    programs=["/usr/bin/redis-server"],
    files={"/etc/redis/redis.conf": CONFIG / "redis.conf"},
)

image = Image(
    config=(CONFIG / "prior.yaml").read_text(),
    cells={"web": web, "db": db},
    modules=["virtio_pci", "virtio_net", *BRIDGE],
    tools=False,
    compress=True,
)
