"""The pages for whoever runs the bot: health and metrics, on loopback unless told otherwise."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bot.errors import ConfigurationError, InterludeError
from bot.web.health import Health
from bot.web.metrics import Metrics


def build_app(health: Health, metrics: Metrics) -> web.Application:
    """Return the application: `/health/live`, `/health/ready`, `/metrics`."""

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def ready(_: web.Request) -> web.Response:
        missing = await health.not_ready()
        return web.json_response({"ready": not missing, "missing": list(missing)}, status=503 if missing else 200)

    async def numbers(_: web.Request) -> web.Response:
        try:
            page = await metrics.page()
        except InterludeError:
            return web.Response(status=503, text="The database does not answer.\n")
        return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/health/live", live)
    app.router.add_get("/health/ready", ready)
    app.router.add_get("/metrics", numbers)
    return app


class WebServer:
    """Serves the application until it is stopped."""

    def __init__(self, app: web.Application, *, host: str, port: int) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)  # the whole bot ends within 5 s
        self._host = host
        self._port = port

    async def start(self) -> None:
        """Listen. Raises ConfigurationError when the port is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigurationError(
                f"Health and metrics cannot be served on {self._host}:{self._port} ({error.strerror}). "
                "Choose another port in [web] of interlude.toml; 0 turns them off."
            ) from None

    async def stop(self) -> None:
        """Listen no more."""
        await self._runner.cleanup()
