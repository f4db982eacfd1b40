class HomeController < ActionController::Base
  def inner; end
end
