package org.apache.druid.security.basic;

import com.google.inject.Inject;
import com.sun.jersey.spi.container.ContainerRequest;
import javax.ws.rs.WebApplicationException;
import javax.ws.rs.core.Response;
import org.apache.druid.server.http.security.AbstractResourceFilter;
import org.apache.druid.server.security.AuthorizationUtils;
import org.apache.druid.server.security.AuthorizerMapper;
import org.apache.druid.server.security.Resource;
import org.apache.druid.server.security.ResourceAction;
import org.apache.druid.server.security.ResourceType;

/**
 * In place of the class of this name of basic-security 27, the one of them that a Druid 33 cannot link: there the check
 * gives another type. All the others run as they are published.
 */
public class BasicSecurityResourceFilter extends AbstractResourceFilter {
  private static final Resource SECURITY = new Resource("security", ResourceType.CONFIG);

  @Inject
  public BasicSecurityResourceFilter(AuthorizerMapper authorizers) {
    super(authorizers);
  }

  @Override
  public ContainerRequest filter(ContainerRequest request) {
    ResourceAction needed = new ResourceAction(SECURITY, getAction(request));
    if (AuthorizationUtils.authorizeResourceAction(getReq(), needed, getAuthorizerMapper()).allowAccessWithNoRestriction()) {
      return request;
    }
    throw new WebApplicationException(Response.status(Response.Status.FORBIDDEN).type("text/plain").entity("Access-Check-Result: false").build());
  }
}
